// GossipChoice: with whom a node compares where it stands next.
//
// Model:     limits::kGossipChosen devices are kept for Config::gossip_keep each, so that most
//            questions go to somebody who answers. Places that are free go to devices at addresses
//            that are told, half of them configured ones; where there are none, to devices that
//            only their presence names. One that has no live keys takes no place: it is dialled,
//            as its back-off allows, and the link is the exchange.
// Threads:   not thread-safe; part of the engine.
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

// A device to ask by datagram: one of those we keep, or a new one where they are few. Null: nobody.
Partner* choose_partner(Context& ctx);

}  // namespace ebb::mesh
