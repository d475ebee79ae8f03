// Invite: one line of text by which a device becomes one of a mesh.
//
// Model:     a line survives copying: capitals, blanks and ends of lines do no harm, and a letter
//            that was mistyped is told from an invite that is over.
// Errors:    decode: kMalformed (not an invite), kUnsupported (of a later version), kCorrupt
//            (damaged: letters are missing or wrong), in that order; kTooLarge beyond the bounds.
// Ownership: whoever has the line may join. The secret of an Invite is wiped with it; the line,
//            which people copy, is its caller's to wipe.
// Units:     times in ms since 1970, by the inviter's clock.
// Threads:   pure functions; any thread.
// Limits:    limits::kInviteAddresses, kInviteCharacters.
// Spec:      docs/wire_format.md section 13
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "core/secret.h"
#include "core/time.h"
#include "trust/certificate.h"

namespace ebb::trust {

using InviteSecret = Secret<32, struct InviteSecretTag>;

// Names an invite without giving its secret away: the first 8 B of H("ebb-invite-id-1" || secret).
using InviteId = FixedBytes<8, struct InviteIdTag>;
InviteId invite_id(const InviteSecret& secret);

struct Invite {
  Hash genesis_hash;
  std::vector<std::string> addresses;  // host:port, the best first; at least one
  LinkKey link_key;                    // of the inviter
  InviteSecret secret;
  WallTime made;
  WallTime expires;

  MeshId mesh() const;
  bool operator==(const Invite&) const = default;
};

// One that decode would refuse is refused here too; kInvalidArgument for addresses and times.
Result<std::string> encode_invite(const Invite& invite);
Result<Invite> decode_invite(std::string_view text);

enum class InviteTime : std::uint8_t {
  kOpen,
  kExpired,
  kClockWrong,  // made in what is the future here: this clock or the inviter's
};
InviteTime invite_time(const Invite& invite, WallTime now);

}  // namespace ebb::trust
