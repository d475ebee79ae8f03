// Datagrams: whom they are exchanged with, and what may be sent to whom. Not what they say:
// gossip.h and settle.h.
//
// Model:     a partner is a device with live keys (sessions.h): what it says is its own, and fresh.
//            It may lie all the same, and many devices may speak at once, so what an exchange may
//            send is bounded, and all answers together.
// Threads:   not thread-safe; part of the engine.
// Limits:    limits::kGossipPartners, of which kGossipChosen places are for those chosen here; the
//            one that was silent longest makes room. kDatagramAnswersPerSecond;
//            kDatagramWorkPerSecond for those chosen here and for all others, who have half of
//            kDatagramReads.
// Spec:      docs/wire_format.md sections 8 and 12
#pragma once

#include <string>
#include <string_view>

#include "mesh/context.h"

namespace ebb::mesh {

// An index for the other end of a link to seal with; 0: none is to be had.
channel::ReceiverIndex draw_receiver_index(Context& ctx);
// The peer has greeted, and may be spoken to by datagram from now on.
void adopt_session(Context& ctx, Link& link);

Partner* find_partner(Context& ctx, const DeviceId& device);
// Who is to be chosen here: null when every other partner is in the middle of an exchange.
Partner* choose_partner_of(Context& ctx, const DeviceId& device);
// Who speaks to us: null when every other such partner is in the middle of an exchange.
Partner* meet_partner(Context& ctx, const DeviceId& device);
bool is_chosen(const Context& ctx, const DeviceId& device);

// Datagrams are catch-up to budgets and quiet hours (link_budget.h), and count like bytes of links,
// by the address that may be dialled or, where that is of no class, the one that speaks.
bool may_gossip(const Context& ctx, const std::string& address);
bool may_gossip(Context& ctx, const Partner& partner);
// `bytes` came from the device, at the address.
void count_received(Context& ctx, const DeviceId& device, const std::string& from,
                    std::size_t bytes);

// The datagram goes no further; `reason` is a static text.
void drop_datagram(Context& ctx, std::string_view reason);

// To where the partner was heard last, or else may be dialled.
void send_datagram(Context& ctx, const Partner& partner, const codec::DatagramBody& body);
// A new exchange: what it may send, read and take.
void renew_bounds(Partner& partner);
// A root that is no answer is about to go out.
void begin_question(Context& ctx, Partner& partner);
// The partner has had time enough; should the answer come yet, it tells how long the way is.
void give_up_question(Partner& partner);
// An answer to the last question, or a late one to the one given up: what the way takes is known.
// False: it answers neither.
bool end_question(Context& ctx, Partner& partner, codec::QuestionNumber question);
// Takes a datagram out of what the exchange may still send; false when nothing is left.
bool spend(Partner& partner);

// A signature to be verified, or a read of the store, for this partner: false when there are too
// many of them already.
bool may_verify(Context& ctx, const Partner& partner);
bool may_read(Context& ctx, const Partner& partner);

// What the partner's round trip lets expect: an answer, and when a difference counts as old.
Duration patience(const Partner& partner);

}  // namespace ebb::mesh
