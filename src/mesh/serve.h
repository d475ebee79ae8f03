// Serve: answering WANTs. Reads segments as stored and sends them as DELTAs within the peer's
// credit, one log after the other, oldest first inside a log.
//
// Model:     each WANT is a job; its ranges go round with those of all jobs, one read at a time
//            each. The DELTA that ends a job has `last` set; when it cannot be known in time which
//            one that is, because several logs take turns, an empty one follows. A range ends at
//            its `to`, or at what is held here when it gets there.
//            A read is no larger than what the link takes in a second. What is older than a day
//            goes out as history.
// Threads:   not thread-safe; part of the engine.
// Limits:    limits::kWantsInHand jobs (more is a fault); reads stop while the link has a backlog
//            (outbox.h), or while the credit does not cover a read.
// Spec:      docs/wire_format.md section 7
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

// The largest encoded segment: its body and what is around it.
inline constexpr std::size_t kSegmentBytesMax = limits::kSegmentDecodedBytes + 512;
// A read may go beyond its bound by a segment, which shall still fit the same DELTA as a rule.
inline constexpr std::size_t kReadBytes = limits::kDeltaBytes - limits::kSegmentRestBytes;
// Credit that a read sets aside. Whole reads only, so that a link which lives on returned credit is
// not served in crumbs.
inline constexpr std::size_t kReadReserve = kReadBytes + kSegmentBytesMax;

void on_want(Context& ctx, Link& link, const codec::Want& want);
void on_read_done(Context& ctx, const ReadDone& done);
// Starts the reads that credit and queues allow.
void pump_reads(Context& ctx, Link& link);
// Some links' reads waited for the queues of all to become shorter: they may go on.
void resume_reads(Context& ctx);
// Queues segments of a log as one DELTA and accounts for them; `key` is named if it was not yet on
// this link.
void send_segments(Context& ctx, Link& link, LogEntry& entry, const LogKey& key,
                   codec::Priority priority, QueuedDelta delta);

// Whether the DELTA of this job that is about to begin is its last.
bool ends_job(Link& link, std::uint64_t job);
// A DELTA of the job has left whole.
void delta_left(Context& ctx, Link& link, std::uint64_t job);

}  // namespace ebb::mesh
