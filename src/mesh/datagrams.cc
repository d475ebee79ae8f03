#include "mesh/datagrams.h"

#include <algorithm>
#include <utility>

#include "mesh/admission.h"

namespace ebb::mesh {
namespace {

constexpr Duration kAnswerMax = seconds(30);  // no later answer says how long the way is
constexpr int kIndexDraws = 8;

// Where the partner may be spoken to; empty: nowhere.
const std::string& address_of(Context& ctx, const Partner& partner) {
  const Session* session = ctx.sessions.of_device(partner.device, ctx.now);
  return session == nullptr || session->address.empty() ? partner.listens : session->address;
}

int class_of(Context& ctx, const Partner& partner) {
  const int by_name = ctx.budget.class_of(partner.listens);
  return by_name != LinkBudget::kNone ? by_name : ctx.budget.class_of(address_of(ctx, partner));
}

bool may_catch_up(const Context& ctx, int link_class) {
  return (ctx.budget.allowed(link_class) & mask_of(codec::Priority::kCatchUp)) != 0;
}

// Room for one more of `most`, not counting those chosen here unless `all`.
bool make_room(Context& ctx, std::size_t most, bool all) {
  std::size_t count = 0;
  auto oldest = ctx.partners.end();
  for (auto it = ctx.partners.begin(); it != ctx.partners.end(); ++it) {
    const Partner& partner = it->second;
    if (!all && partner.chosen) continue;
    ++count;
    if (partner.chosen || partner.asked || partner.want_at) continue;
    if (oldest == ctx.partners.end() || partner.last < oldest->second.last) oldest = it;
  }
  if (count < most) return true;
  if (oldest == ctx.partners.end()) return false;
  ctx.partners.erase(oldest);
  return true;
}

Partner& add_partner(Context& ctx, const DeviceId& device) {
  Partner& partner = ctx.partners[device];
  partner.device = device;
  partner.since = ctx.now;
  partner.last = ctx.now;
  return partner;
}

}  // namespace

channel::ReceiverIndex draw_receiver_index(Context& ctx) {
  for (int i = 0; i < kIndexDraws; ++i) {
    const channel::ReceiverIndex index = ctx.config.channels->random_index();
    if (ctx.sessions.is_free(index)) return index;
  }
  return 0;
}

void adopt_session(Context& ctx, Link& link) {
  const channel::ReceiverIndex theirs = link.channel->peer()->claim.receiver_index;
  if (link.receiver_index == 0 || theirs == 0) return;
  if (!is_full_at_both_ends(link) || !may_gossip_with(ctx, *link.peer)) return;
  NewSession made;
  made.device = *link.peer;
  made.keys = link.channel->take_datagram_keys();
  made.index = link.receiver_index;
  made.peer_index = theirs;
  made.link = link.id;
  made.by_smaller = link.dialled == (ctx.config.self < *link.peer);
  if (link.dialled) made.address = link.address;
  ctx.sessions.add(std::move(made), ctx.now);
}

Partner* find_partner(Context& ctx, const DeviceId& device) {
  ctx.partners_moved = true;
  const auto it = ctx.partners.find(device);
  return it == ctx.partners.end() ? nullptr : &it->second;
}

Partner* choose_partner_of(Context& ctx, const DeviceId& device) {
  Partner* partner = find_partner(ctx, device);
  if (partner == nullptr) {
    if (!make_room(ctx, limits::kGossipPartners, true)) return nullptr;
    partner = &add_partner(ctx, device);
  }
  partner->chosen = true;
  partner->since = ctx.now;
  return partner;
}

Partner* meet_partner(Context& ctx, const DeviceId& device) {
  if (Partner* partner = find_partner(ctx, device)) return partner;
  const bool room = make_room(ctx, limits::kGossipPartners - limits::kGossipChosen, false);
  return room ? &add_partner(ctx, device) : nullptr;
}

bool is_chosen(const Context& ctx, const DeviceId& device) {
  const auto it = ctx.partners.find(device);
  return it != ctx.partners.end() && it->second.chosen;
}

bool may_gossip(const Context& ctx, const std::string& address) {
  return may_catch_up(ctx, ctx.budget.class_of(address));
}

bool may_gossip(Context& ctx, const Partner& partner) {
  return may_catch_up(ctx, class_of(ctx, partner));
}

void count_received(Context& ctx, const DeviceId& device, const std::string& from,
                    std::size_t bytes) {
  const Partner* partner = find_partner(ctx, device);
  const int known = partner == nullptr ? LinkBudget::kNone : class_of(ctx, *partner);
  ctx.budget.spend(known != LinkBudget::kNone ? known : ctx.budget.class_of(from), bytes);
}

void drop_datagram(Context& ctx, std::string_view reason) {
  ++ctx.counters.datagrams_dropped[reason];
}

void send_datagram(Context& ctx, const Partner& partner, const codec::DatagramBody& body) {
  const std::string& address = address_of(ctx, partner);
  Session* session = ctx.sessions.of_device(partner.device, ctx.now);
  if (session == nullptr || address.empty()) return;
  if (!may_gossip_with(ctx, partner.device)) {
    ctx.sessions.forget(partner.device);
    return;
  }
  Bytes bytes;
  const Bytes plain = codec::encode_datagram(body);
  if (!session->sealer.seal(codec::datagram_type(body), plain, bytes).ok()) {
    // The key is used up: the next handshake gives another.
    ctx.sessions.forget(partner.device);
    return;
  }
  ++ctx.counters.datagrams_out;
  ctx.counters.datagram_bytes_out += bytes.size();
  ctx.budget.spend(class_of(ctx, partner), bytes.size());
  ctx.out->datagrams.push_back({address, std::move(bytes)});
}

void renew_bounds(Partner& partner) {
  partner.budget = limits::kDatagramsPerExchange;
  partner.reads_left = limits::kDatagramReads;
  partner.heads_sent = false;
}

void begin_question(Context& ctx, Partner& partner) {
  partner.asked = ctx.now;
  const bool over = partner.question == 0xff;
  partner.question = over ? 1 : static_cast<codec::QuestionNumber>(partner.question + 1);
}

void give_up_question(Partner& partner) {
  // Of several the oldest, or no answer would be in time for a way longer than two of them.
  const bool counts = partner.given_up && *partner.asked - partner.given_up->sent <= kAnswerMax;
  if (!counts) partner.given_up = GivenUp{partner.question, *partner.asked};
  partner.asked.reset();
}

bool end_question(Context& ctx, Partner& partner, codec::QuestionNumber question) {
  if (partner.asked && question == partner.question) {
    partner.rtt = ctx.now - *partner.asked;
  } else if (partner.given_up && question == partner.given_up->question &&
             ctx.now - partner.given_up->sent <= kAnswerMax) {
    partner.rtt = ctx.now - partner.given_up->sent;
  } else {
    return false;
  }
  partner.asked.reset();
  partner.given_up.reset();
  return true;
}

bool spend(Partner& partner) {
  if (partner.budget == 0) return false;
  --partner.budget;
  return true;
}

bool may_verify(Context& ctx, const Partner& partner) {
  return (partner.chosen ? ctx.datagram_work_of_chosen : ctx.datagram_work).take(ctx.now);
}

bool may_read(Context& ctx, const Partner& partner) {
  const std::size_t most = partner.chosen ? limits::kDatagramReads : limits::kDatagramReads / 2;
  return ctx.datagram_reads.size() < most && may_verify(ctx, partner);
}

Duration patience(const Partner& partner) {
  const Duration trips = partner.rtt.value_or(Duration{}) * 4;
  return std::max(trips, seconds(2));
}

}  // namespace ebb::mesh
