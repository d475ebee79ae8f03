// What a liar makes of messages and segments: pure functions over a generator.
//
// Threads: pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codec/datagram.h"
#include "codec/message.h"
#include "core/rng.h"
#include "trust/identity.h"

namespace ebb::sim {

// A number that no honest peer has a reason to say, or one that it might.
std::uint64_t absurd(Rng& rng);
LogId random_log(Rng& rng);
std::vector<LogId> mentioned_logs(ByteView frame);
// Announcements, pings, addresses: no fault however often they are said.
bool may_come_again(ByteView frame);
// Changes one field, or a few.
void bend_message(codec::Message& message, Rng& rng);
// The same of what a datagram of that type says; false when it cannot be read.
bool bend_datagram_body(std::uint8_t type, Bytes& plain, Rng& rng);
// Another segment in the place of this one: events changed, with the old signature or one by the
// liar over the right chain; or numbers and log moved. nullopt: it cannot be taken apart.
std::optional<Bytes> forge_segment(ByteView segment, const trust::Identity& liar, Rng& rng);

}  // namespace ebb::sim
