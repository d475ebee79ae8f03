// GossipRoot: what a node says of itself in a root datagram.
//
// Threads: not thread-safe; part of the engine.
// Limits:  limits::kViewPerDatagram heads.
// Spec:    docs/wire_format.md section 8
#pragma once

#include <cstdint>

#include "mesh/context.h"

namespace ebb::mesh {

codec::RootDatagram make_root(Context& ctx, const Partner& partner, codec::QuestionNumber question,
                              bool answer);
// What the partner's root says; nothing when one of the two does not know the other's scope.
enum class RootsCompared : std::uint8_t { kEqual, kDiffer, kNot };
RootsCompared compare_with(Context& ctx, const Partner& partner, const codec::RootDatagram& root);
codec::ListedHead listed_head(const LogEntry& entry);

}  // namespace ebb::mesh
