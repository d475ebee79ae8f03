// Newcomers: links that others have opened, behind the handshake and before their HELLO.
//
// Model:   the gate bounds who has not done a handshake, and slots who has greeted. Whoever knows
//          the mesh's secret, or how to prove a key where it has none, is between them for as long
//          as its greeting may take, so these have places too. A device has one: of two the newer
//          stays, for who dials knows that the older is gone. When all places are taken, one that
//          has shown no certificate makes room for one that has, else one of the network that holds
//          most for one of a network that has two fewer, the oldest first; else the newcomer goes.
// Limits:  limits::kNewcomers.
// Threads: part of the engine.
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

// Of a link that is established now. False: it had to go, and is closed.
bool take_newcomer(Context& ctx, Link& link);

}  // namespace ebb::mesh
