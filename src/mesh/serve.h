// Serve: answering WANTs. Reads segments as stored and sends them as DELTAs within the peer's
// credit, one log after the other, oldest first inside a log.
//
// Model:     each WANT is a job; its ranges go round with those of all jobs, one read at a time
//            each. The DELTA that ends a job has `last` set. A range ends at its `to`, or at what
//            is held here when it gets there.
// Threads:   not thread-safe; part of the engine.
// Limits:    limits::kWantsInHand jobs (more is a fault); reads stop while the driver has more than
//            limits::kInboundBytesPerPeer waiting, or while the credit does not cover a read.
// Spec:      docs/wire_format.md section 7
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

void on_want(Context& ctx, Link& link, const codec::Want& want);
void on_read_done(Context& ctx, const ReadDone& done);
// Starts the reads that credit and queues allow.
void pump_reads(Context& ctx, Link& link);
// Sends segments and accounts for them; `key` is named if it was not yet on this link.
void send_segments(Context& ctx, Link& link, LogEntry& entry, const LogKey& key,
                   codec::Delta delta);

}  // namespace ebb::mesh
