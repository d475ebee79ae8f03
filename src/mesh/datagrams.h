// Datagrams: whom they are exchanged with, and what may be sent to whom. Not what they say:
// gossip.h and settle.h.
//
// Model:     a partner is a device that sent a datagram or is sent one. It is `proven` once it
//            echoed the cookie that was sent to its address; before, it gets no more bytes than a
//            small multiple of what it sent. What an exchange may send is bounded.
// Threads:   not thread-safe; part of the engine.
// Limits:    limits::kGossipPartners; the one that was silent longest makes room.
// Spec:      docs/wire_format.md section 8
#pragma once

#include <string>

#include "mesh/context.h"

namespace ebb::mesh {

// Null when every other partner is in the middle of an exchange.
Partner* find_or_add_partner(Context& ctx, const DeviceId& device);
Partner* find_partner(Context& ctx, const DeviceId& device);

// Notes where the partner speaks from; a new address has to be proven anew.
void note_address(Context& ctx, Partner& partner, const std::string& from,
                  const codec::AddressCookie& echo);
// The cookie for an address: nobody who does not receive there can know it.
codec::AddressCookie cookie_for(const Context& ctx, const std::string& address);

void send_datagram(Context& ctx, Partner& partner, codec::DatagramBody body);
// Takes a datagram out of what the exchange may still send; false when nothing is left.
bool spend(Partner& partner);

// What the partner's round trip lets expect: an answer, and when a difference counts as old.
Duration patience(const Partner& partner);

}  // namespace ebb::mesh
