// Peers: who listens where, told between neighbours. Only addresses known at first hand are told,
// and nobody is told twice or what he said himself.
//
// Threads:   not thread-safe; part of the engine.
// Limits:    limits::kKnownPeers acquaintances, kPeersPerMessage a message; beyond: not kept.
// Spec:      docs/wire_format.md section 7
#pragma once

#include <vector>

#include "mesh/context.h"

namespace ebb::mesh {

// At start: ourselves, and what the store remembers.
void load_peers(Context& ctx);
// A link was greeted.
void meet_peer(Context& ctx, Link& link);
void tell_peers(Context& ctx, Link& link);
void on_peers(Context& ctx, Link& link, const codec::Peers& peers);
std::vector<KnownPeer> known_peers(const Context& ctx);

}  // namespace ebb::mesh
