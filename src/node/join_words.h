// What a join that failed says to the person here: what happened, and what to do.
//
// Errors:  all are of context "join", but those that final_error hands on; codes as of
//          join_client.h.
// Threads: pure functions; any thread. For join_client.cc only.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codec/message.h"
#include "core/result.h"
#include "core/time.h"
#include "trust/invite.h"

namespace ebb::node {

Error join_error(ErrorCode code, std::string words);
// The invite of a line that is open by this clock. `built`: of the program; 0: not known.
Result<trust::Invite> read_invite(std::string_view line, WallTime now, WallTime built);
// What an inviter's refusal means.
Error refusal_error(const codec::AuthRefused& refused, const trust::Invite& invite, WallTime now);
// Of trouble with one address, for a list of them.
std::string words_of(const Error& error);
// Trouble of one address with which the attempt is over; nullopt: the others are tried.
std::optional<Error> final_error(const Error& error, const std::string& address);
// Nobody was there, or who was there has said nothing; `tried`: each address with its trouble.
Error unreached_error(const std::string& tried);
Error unheard_error(const std::string& tried);

}  // namespace ebb::node
