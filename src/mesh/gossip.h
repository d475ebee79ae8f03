// Gossip: the root fingerprint by datagram to a known device without a link, now and then, so that
// an unlucky set of links still converges.
//
// Model:     one datagram to one random address every interval (a short one while there are fewer
//            than 2 links). Who is asked and has another root answers once; who is answered dials.
// Threads:   not thread-safe; part of the engine.
// Errors:    malformed datagrams are dropped and counted.
// Spec:      docs/wire_format.md section 8
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

void on_datagram(Context& ctx, const Datagram& datagram);
void run_gossip(Context& ctx);
// Moves the next datagram forward when the number of links has fallen.
void plan_gossip(Context& ctx);

}  // namespace ebb::mesh
