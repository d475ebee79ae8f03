// Receive: segments from a peer, from the DELTA to the answer of their commit.
//
// Model:     a segment that extends what is in hand is verified, pushed on, and handed to a commit;
//            everything else is dropped, and its bytes are given back as credit. Of a DELTA with
//            one bad segment nothing is kept.
// Threads:   not thread-safe; part of the engine.
// Errors:    bad_signature, unknown_log_key, malformed_segment, credit_exceeded... as faults.
// Limits:    limits::kInboundBytesPerPeer in hand of a link (more is a fault),
//            limits::kInboundBytesTotal of all (more is dropped and asked for again).
// Spec:      docs/wire_format.md sections 5 and 7
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

void on_delta(Context& ctx, Link& link, const codec::Delta& delta);
void on_committed(Context& ctx, Committed& answer);
// A peer has shown more of the log that we are writing than we hold.
void rollback_found(Context& ctx, Link& link, const std::string& what);

}  // namespace ebb::mesh
