// GossipChoice: whom a node asks by datagram next.
//
// Model:     limits::kGossipChosen devices are kept for Config::gossip_keep each, so that most
//            questions go to somebody who has proven his address. Places that are free go to
//            addresses that are told, half of them configured ones; where there are none, to
//            devices that only their presence names.
// Threads:   not thread-safe; part of the engine.
#pragma once

#include <optional>
#include <string>

#include "mesh/context.h"

namespace ebb::mesh {

// A device to speak to: one of those we keep, or a new one where they are few. Null: nobody.
Partner* choose_partner(Context& ctx);
// An address of which no device is known.
std::optional<std::string> draw_stranger(Context& ctx);

}  // namespace ebb::mesh
