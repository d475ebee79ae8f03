// PartRoom: how large a part of a shared log may be (parts.h), and how much may wait for what comes
// before it.
//
// Units:   bytes as sent and as decoded; events by the size of the log's last segment.
// Threads: not thread-safe; part of the engine.
// Limits:  what is staged, with what is on its way, is at most half of a link's credit and
//          limits::kStagedBytes of all, and leaves of either, and of what all links may have in
//          hand, what a read and the two largest segments need: what comes next is never kept out.
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

// Events that the link brings in the time of a part, as whole segments.
Seq part_events(const Context& ctx, const Link& link, const LogEntry& entry);
// Whether so many events, asked of the link, may come ahead of others.
bool may_wait(const Context& ctx, const Link& link, const LogEntry& entry, std::uint64_t events);
// Whether a segment that came ahead may be kept.
bool may_stage(const Context& ctx, const Link& link, std::size_t bytes);

}  // namespace ebb::mesh
