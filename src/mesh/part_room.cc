#include "mesh/part_room.h"

#include <algorithm>
#include <utility>

#include "mesh/parts.h"
#include "mesh/serve.h"

namespace ebb::mesh {
namespace {

constexpr Duration kPartTime = milliseconds(500);  // of one part, at least
constexpr std::int64_t kPartRounds = 4;            // the same, in round trips

// What is on its way to be staged, of one link or (kNoSlot) of all: bytes as sent and as decoded.
std::pair<std::uint64_t, std::uint64_t> on_the_way(const Context& ctx, int slot) {
  std::pair<std::uint64_t, std::uint64_t> bytes{0, 0};
  for (const auto& [log, shared] : ctx.shared) {
    const LogEntry* entry = ctx.heads.find(log);
    for (const LogPart& part : shared.parts) {
      if (part.slot == kNoSlot || (slot != kNoSlot && part.slot != slot)) continue;
      const std::uint64_t left = part.to - std::min(part.reached, part.to);
      bytes.first += bytes_of(*entry, left, entry->segment_bytes);
      bytes.second += bytes_of(*entry, left, entry->segment_decoded);
    }
  }
  return bytes;
}

// Of a link's credit, so that what comes next can still be read for it.
std::size_t staged_of_link_max(const Context& ctx) {
  const std::size_t credit = ctx.config.tuning.credit_bytes;
  return std::min(credit / 2, credit - std::min(credit, kReadReserve));
}

// Of all, so that two of the largest segments that come next can still be taken.
std::size_t staged_max(const Context& ctx) {
  const std::size_t all = ctx.config.tuning.inbound_bytes;
  return std::min(limits::kStagedBytes, all - std::min(all, 2 * kSegmentBytesMax));
}

std::size_t staged_decoded_max(const Context& ctx) {
  const std::size_t all = ctx.config.tuning.decoded_bytes;
  return std::min(limits::kStagedDecodedBytes,
                  all - std::min(all, 2 * limits::kSegmentDecodedBytes));
}

}  // namespace

Seq part_events(const Context& ctx, const Link& link, const LogEntry& entry) {
  const std::uint64_t segment = std::max<std::uint32_t>(entry.segment_bytes, 1);
  const std::uint64_t most =
      std::min(ctx.config.tuning.part_bytes, ctx.config.tuning.credit_bytes / 4);
  const std::uint64_t rate = rate_of(ctx, link);
  const Duration part = std::max(kPartTime, round_trip(link) * kPartRounds);
  const auto time = static_cast<std::uint64_t>(part.us);
  const std::uint64_t bytes = rate == 0 ? segment * 2 : rate * time / 1000000;
  return std::max<std::uint64_t>(std::min(bytes, most) / segment, 1) * entry.segment_events;
}

bool may_wait(const Context& ctx, const Link& link, const LogEntry& entry, std::uint64_t events) {
  const std::uint64_t bytes = bytes_of(entry, events, entry.segment_bytes);
  const std::uint64_t decoded = bytes_of(entry, events, entry.segment_decoded);
  const auto all = on_the_way(ctx, kNoSlot);
  const auto of_link = on_the_way(ctx, link.slot);
  return link.staged_bytes + of_link.first + bytes <= staged_of_link_max(ctx) &&
         ctx.staged_bytes + all.first + bytes <= staged_max(ctx) &&
         ctx.staged_decoded + all.second + decoded <= staged_decoded_max(ctx);
}

bool may_stage(const Context& ctx, const Link& link, std::size_t bytes) {
  return link.staged_bytes + bytes <= staged_of_link_max(ctx) &&
         ctx.staged_bytes + bytes <= staged_max(ctx) &&
         ctx.staged_decoded + limits::kSegmentDecodedBytes <= staged_decoded_max(ctx);
}

}  // namespace ebb::mesh
