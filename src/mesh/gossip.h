// Gossip: where this node stands, by datagram, to a known device without a link, now and then, so
// that an unlucky set of links still converges and a node that seldom wakes delivers at once.
//
// Model:     a few partners are kept for gossip_keep each; every interval one of them is asked (a
//            short interval while there are fewer than 2 links; doubling while all that differs is
//            young). Roots that differ are settled by datagrams (settle.h); when nothing moves any
//            more and they still differ, or after two rounds, or when two questions in a row get no
//            answer, a partner that was chosen here is dialled (gossip_dial.h). So is, in its turn,
//            a device without live keys: its link is the exchange, and gives keys.
//            Rationale: in a mesh that writes all the time roots differ all the time, so a
//            difference is a reason to dial only when something old is behind it.
//            What equal roots show is kept with the keys, and no cursor of links:
//            docs/decisions/0030-sealed-datagrams.md.
// Threads:   not thread-safe; part of the engine.
// Errors:    what does not open moves nothing; that, and what is malformed or unasked, is dropped
//            and counted.
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
