// Bounds: what all links together may hold in memory, and which link goes when that is too much.
//
// Model:     queues out (Context::outbound_bytes) and what has come of frames and segments and is
// not
//            committed (begun_bytes, inbound_bytes) are counted as they change. Reads, pushes and
//            credit stop long before a bound is reached; what is left is a peer that does not read,
//            or does not end what it begins. The link that holds the most is closed.
// Threads:   not thread-safe; part of the engine.
// Limits:    limits::kOutboundBytesTotal, kInboundBytesTotal, kControlBytes.
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

// Counts what the link's splitter holds. False after a fault: it holds more than a peer may.
bool count_begun(Context& ctx, Link& link);
// The link is gone with all that it held.
void forget_bytes(Context& ctx, Link& link);
// At the end of a step, before anything is sent on.
void keep_bounds(Context& ctx);

}  // namespace ebb::mesh
