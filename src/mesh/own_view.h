// Own view: our own logs as a partner of datagrams says that it holds them, against the store. What
// it shows is no evidence, for nobody signed it; but while it shows something that is not here,
// nothing of our own goes to it by datagram, and a link finds out.
//
// Model:     settled at once when the fingerprints are equal or it holds nothing of ours. Else it
//            has to list all that it holds: of the incarnation that is being written the store is
//            asked for the chain at each position below our head; those of others count by their
//            length, and at equal length by their chain.
// Threads:   not thread-safe; part of the engine.
// Limits:    limits::kViewPerDatagram positions; reads as all reads for datagrams (settle.h).
// Spec:      docs/wire_format.md section 8
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

// Settles the partner, or asks the store first: then Partner::own_checks is above 0.
void judge_own_view(Context& ctx, Partner& partner, const codec::RootDatagram& root);
// The store has answered. True when that was the last one and nothing is left to wait for.
bool own_view_read(Context& ctx, Partner& partner, const LogEntry& entry, const DatagramRead& read,
                   const ReadDone& done);
// A new incarnation has begun: what partners have shown says nothing of its logs.
void forget_own_views(Context& ctx);

}  // namespace ebb::mesh
