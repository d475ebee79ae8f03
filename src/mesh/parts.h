// Parts: a long log that is fetched in ranges from several links at once.
//
// Model:     a shared log has parts, each asked of one link and of no other: the first is the one
//            that comes next; what comes of the others is verified and staged until everything
//            before it is in hand. A part is what its link brings in half a second, cut where the
//            log's segments have been cut so far, since the end of a segment cannot be moved; what
//            one brings beyond its part shortens the parts behind it. A link has one part of a log
//            at a time, and gets another when that has come.
//            The part of a link that ends, or has no more to send, is given to another. Where
//            anything else happens (a fork, a refusal, a commit of it that failed) the sharing of
//            the log ends, what was staged is dropped, and it is asked for as any other. While
//            commits pause for another log it stays shared, though nobody is asked.
// Threads:   not thread-safe; part of the engine.
// Limits:    part_room.h; what is staged counts as in hand, of its link and of all.
// Spec:      docs/wire_format.md section 7
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "codec/segment.h"
#include "mesh/context.h"
#include "mesh/scope.h"

namespace ebb::mesh {

// What the log's parts are measured by from now on.
void note_size(LogEntry& entry, const trust::VerifiedSegment& segment);

bool is_shared(const Context& ctx, const LogId& log);
// From the first of these to the second (0: open).
struct AskedRange {
  Seq from = 0, to = 0;
};
// What the link is asked for of the log: all behind what is in hand, or its part. Nullopt: nothing.
std::optional<AskedRange> asked_range(const Context& ctx, const Link& link, const LogEntry& entry);

// The log, which all was asked for of `owner`, is shared with the other link from now on. False
// when that has got no part yet.
bool begin_sharing(Context& ctx, LogEntry& entry, Link& owner, Link& newcomer);
// The first part that is nobody's, or a new one behind all others. False: there is none for it.
bool give_part(Context& ctx, LogEntry& entry, Link& link);
// The part that everything else waits for, from a link that is less than half as fast, or has
// brought nothing of it for long, whatever else it brings.
bool take_first_part(Context& ctx, LogEntry& entry, Link& link);

// Whether the segment, which does not come next in its log, comes next in a part of this link.
bool is_of_part(Context& ctx, const Link& link, const codec::SegmentView& header);
void stage(Context& ctx, Link& link, trust::VerifiedSegment segment);
// There is no room for it: the log's segments are larger than they were. The part waits until it
// comes next.
void refuse_part(Context& ctx, Link& link, LogEntry& entry, std::size_t bytes);
// What is in hand of the log has moved: commits what was staged behind it, and gives links that
// have brought their parts new ones. Nothing when the log is not shared.
void advance_shared(Context& ctx, LogEntry& entry);

// The WANT for what the link is asked for of the log goes out.
void note_want_sent(Context& ctx, const Link& link, LogEntry& entry);
// The link has brought something of its part, whether or not there was room for it.
void note_useful(Context& ctx, Link& link, const LogEntry& entry);
// All WANTs of the link are answered and its part has not come whole. False when the log is not
// shared.
bool part_unanswered(Context& ctx, Link& link, LogEntry& entry);
// The link of the slot has ended: its part is nobody's. False when the log is not shared.
bool orphan_part(Context& ctx, int slot, LogEntry& entry);
// Gives away what is nobody's. The sharing ends when no link has a part any more, unless commits
// pause.
void resume_shared(Context& ctx, LogEntry& entry);
// Nobody is asked for a part of the log any more.
void end_sharing(Context& ctx, LogEntry& entry);

// ---- of links, for parts and for whole logs

inline Link* link_at(const Context& ctx, int slot) {
  return slot == kNoSlot ? nullptr : ctx.slots[static_cast<std::size_t>(slot)];
}
inline std::uint64_t rate_of(const Context& ctx, const Link& link) {
  return link.fetch.bytes_per_second(ctx.now, round_trip(link), link.begun_counted);
}
inline bool is_silent(const Context& ctx, const Link& link) {
  return link.fetch.is_silent(ctx.now, round_trip(link), link.begun_counted);
}
inline bool awaits(const Link& link, const LogId& log) {
  return link.exchange.active && link.exchange.awaited.contains(log);
}
// How far the link is known to have the log; 0 when it is not to be asked for it.
inline Seq reach_of(const Context& ctx, const Link& link, const LogEntry& entry) {
  const PeerLog* peer = entry.find_peer(link.slot);
  const bool may_ask =
      peer != nullptr && !peer->refused && awaits(link, entry.id) && !is_outside(ctx, link, entry);
  return may_ask ? peer->announced : 0;
}
// What so many events of the log come to, when one of its segments has so many bytes.
inline std::uint64_t bytes_of(const LogEntry& entry, std::uint64_t events,
                              std::uint32_t segment_bytes) {
  return events * segment_bytes / std::max<std::uint32_t>(entry.segment_events, 1);
}

}  // namespace ebb::mesh
