// GossipDial: whether a partner of gossip is dialled.
//
// Model:     only who was chosen here is ever dialled for gossip: whoever else speaks to us may
//            dial us, and must not be able to make us dial.
// Threads:   not thread-safe; part of the engine.
// Limits:    limits::kUrgentDials addresses at once (dialer.h).
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

void dial_for_difference(Context& ctx, const Partner& partner);
// It answers no datagram: whatever the number of links, but no sooner than its back-off allows.
void dial_for_silence(Context& ctx, const Partner& partner);

}  // namespace ebb::mesh
