// Gossip: where this node stands, by datagram, to a known device without a link, now and then, so
// that an unlucky set of links still converges and a node that seldom wakes delivers at once.
//
// Model:     a few partners are kept for gossip_keep each; every interval one of them is asked (a
//            short interval while there are fewer than 2 links; doubling while all that differs is
//            young). Roots that differ are settled by datagrams (settle.h); what is still different
//            after two rounds, or a partner that does not answer twice, is dialled.
// Threads:   not thread-safe; part of the engine.
// Errors:    malformed datagrams are dropped and counted.
// Limits:    limits::kGossipChosen partners chosen here, kGossipPartners in all.
// Spec:      docs/wire_format.md section 8
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

void on_datagram(Context& ctx, const Datagram& datagram);
void run_gossip(Context& ctx);
// Moves the next datagram forward when the number of links has fallen.
void plan_gossip(Context& ctx);
// When run_gossip has something to do.
std::optional<Instant> next_gossip_deadline(const Context& ctx);

}  // namespace ebb::mesh
