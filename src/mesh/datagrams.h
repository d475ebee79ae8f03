// Datagrams: whom they are exchanged with, and what may be sent to whom. Not what they say:
// gossip.h and settle.h.
//
// Model:     a cookie is a hash of an address under a secret of the process, and changes every ten
//            minutes; who echoes it receives at that address. A datagram that does not echo it is
//            worth at most a cookie in answer, which is smaller than the question and leaves
//            nothing behind here. What an exchange may send is bounded, and all answers together.
// Threads:   not thread-safe; part of the engine.
// Limits:    limits::kGossipPartners, of which kGossipChosen places are for those chosen here and
//            kPartnersPerHost for others of one network; the one that was silent longest makes
//            room. kDatagramAnswersPerSecond, kDatagramCookiesPerSecond; kDatagramWorkPerSecond for
//            those chosen here and for all others, who have half of kDatagramReads.
// Spec:      docs/wire_format.md section 8
#pragma once

#include <string>
#include <string_view>

#include "mesh/context.h"

namespace ebb::mesh {

Partner* find_partner(Context& ctx, const PartnerKey& key);
// Who is to be chosen here: null when every other partner is in the middle of an exchange.
Partner* choose_partner_at(Context& ctx, const PartnerKey& key);
// Who speaks to us: null when every other such partner, or every one of its network, is in the
// middle of an exchange.
Partner* meet_partner(Context& ctx, const PartnerKey& key);
bool is_chosen(const Context& ctx, const DeviceId& device);

// The cookie for an address: nobody who does not receive there can know it. Its echo tells which
// question is answered.
codec::AddressCookie cookie_for(const Context& ctx, const std::string& address,
                                QuestionNumber number);
// Whether it is that of now or of the ten minutes before.
bool is_cookie_for(const Context& ctx, const std::string& address,
                   const codec::AddressCookie& echo);

// Datagrams are catch-up to budgets and quiet hours (link_budget.h), and count like bytes of links,
// by the address that may be dialled or, where that is of no class, the one that speaks.
bool may_gossip(const Context& ctx, const std::string& address);
bool may_gossip(const Context& ctx, const Partner& partner);
// `bytes` came from the address.
void count_received(Context& ctx, const PartnerKey& from, std::size_t bytes);

// The datagram goes no further; `reason` is a static text.
void drop_datagram(Context& ctx, std::string_view reason);

void send_datagram(Context& ctx, const Partner& partner, codec::DatagramBody body);
// To an address that has proven nothing, or nothing new: its cookie. `echo`: the one that came from
// there.
void send_cookie(Context& ctx, const std::string& address, const codec::AddressCookie& echo,
                 QuestionNumber number);
// A new exchange: what it may send, read and take.
void renew_bounds(Partner& partner);
// Who was asked where the sender of this cookie receives; nullptr: nobody. An address that was
// asked by name is from now on the one that it speaks from.
Partner* asked_elsewhere(Context& ctx, const Datagram& datagram,
                         const codec::GossipDatagram& gossip);
// A root that is no answer is about to go out.
void begin_question(Context& ctx, Partner& partner);
// The partner has had time enough; should the answer come yet, it tells how long the way is.
void give_up_question(Partner& partner);
// An answer to the last question, or a late one to the one given up: what the way takes is known.
// False: it answers neither.
bool end_question(Context& ctx, Partner& partner, const codec::AddressCookie& echo);
// Takes a datagram out of what the exchange may still send; false when nothing is left.
bool spend(Partner& partner);

// A signature to be verified, or a read of the store, for this partner: false when there are too
// many of them already.
bool may_verify(Context& ctx, const Partner& partner);
bool may_read(Context& ctx, const Partner& partner);

// What the partner's round trip lets expect: an answer, and when a difference counts as old.
Duration patience(const Partner& partner);

}  // namespace ebb::mesh
