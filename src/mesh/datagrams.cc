#include "mesh/datagrams.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <utility>

#include "core/host_port.h"
#include "trust/hash.h"

namespace ebb::mesh {
namespace {

constexpr Duration kAnswerMax = seconds(30);  // no later answer says how long the way is
constexpr std::int64_t kCookieUs = std::int64_t{600} * 1000000;

codec::AddressCookie cookie_of(const Context& ctx, const std::string& address, std::int64_t period,
                               QuestionNumber number) {
  Bytes when;
  append_be64(when, static_cast<std::uint64_t>(period));
  when.push_back(number);
  const Hash hash = trust::hash(
      {as_bytes("ebb-cookie-1"), ctx.config.cookie_secret.view(), when, as_bytes(address)});
  codec::AddressCookie cookie;
  std::memcpy(cookie.data.data(), hash.data.data(), codec::AddressCookie::kSize - 1);
  cookie.data.back() = number;
  return cookie;
}

int class_of(const Context& ctx, const Partner& partner) {
  const int by_name = ctx.budget.class_of(partner.listens);
  return by_name != LinkBudget::kNone ? by_name : ctx.budget.class_of(partner.address);
}

bool may_catch_up(const Context& ctx, int link_class) {
  return (ctx.budget.allowed(link_class) & mask_of(codec::Priority::kCatchUp)) != 0;
}

void send_to(Context& ctx, const std::string& address, int link_class,
             codec::GossipDatagram datagram) {
  datagram.counter = ++ctx.datagram_counter;
  datagram.mesh = ctx.config.mesh;
  datagram.device = ctx.config.self;
  Bytes bytes = codec::encode_datagram(datagram);
  ++ctx.counters.datagrams_out;
  ctx.counters.datagram_bytes_out += bytes.size();
  ctx.budget.spend(link_class, bytes.size());
  ctx.out->datagrams.push_back({address, std::move(bytes)});
}

// Room for one more of those that `counts` speaks of, of which there may be `most`.
bool make_room(Context& ctx, std::size_t most, const std::function<bool(const Partner&)>& counts) {
  std::size_t count = 0;
  auto oldest = ctx.partners.end();
  for (auto it = ctx.partners.begin(); it != ctx.partners.end(); ++it) {
    const Partner& partner = it->second;
    if (!counts(partner)) continue;
    ++count;
    if (partner.chosen || partner.asked || partner.want_at) continue;
    if (oldest == ctx.partners.end() || partner.last < oldest->second.last) oldest = it;
  }
  if (count < most) return true;
  if (oldest == ctx.partners.end()) return false;
  ctx.partners.erase(oldest);
  return true;
}

Partner& add_partner(Context& ctx, const PartnerKey& key) {
  Partner& partner = ctx.partners[key];
  partner.device = key.device;
  partner.address = key.address;
  partner.since = ctx.now;
  partner.last = ctx.now;
  return partner;
}

// When the question went out that this echo answers; nullopt: it answers none, or far too late.
std::optional<Instant> time_of_question(const Context& ctx, const Partner& partner,
                                        const codec::AddressCookie& echo) {
  const QuestionNumber number = echo.data.back();
  if (partner.asked && number == partner.question) return partner.asked;
  const bool late = partner.given_up && partner.given_up->question == number &&
                    ctx.now - partner.given_up->sent <= kAnswerMax;
  return late ? std::optional(partner.given_up->sent) : std::nullopt;
}

// Asked under another address, such as a name: from now on it is where it speaks from.
Partner* move_partner(Context& ctx, const PartnerKey& old, const std::string& from) {
  const PartnerKey key{old.device, from};
  Partner* known = find_partner(ctx, key);
  auto node = ctx.partners.extract(old);
  if (known == nullptr) {
    node.key() = key;
    known = &ctx.partners.insert(std::move(node)).position->second;
    known->address = from;
    known->proven = false;
    return known;
  }
  known->chosen = node.mapped().chosen;
  known->since = node.mapped().since;
  known->listens = node.mapped().listens;
  known->asked = node.mapped().asked;
  known->asked_again = node.mapped().asked_again;
  known->question = node.mapped().question;
  known->given_up = node.mapped().given_up;
  renew_bounds(*known);
  return known;
}

}  // namespace

Partner* find_partner(Context& ctx, const PartnerKey& key) {
  ctx.partners_moved = true;
  const auto it = ctx.partners.find(key);
  return it == ctx.partners.end() ? nullptr : &it->second;
}

Partner* choose_partner_at(Context& ctx, const PartnerKey& key) {
  Partner* partner = find_partner(ctx, key);
  if (partner == nullptr) {
    const auto any = [](const Partner&) { return true; };
    if (!make_room(ctx, limits::kGossipPartners, any)) return nullptr;
    partner = &add_partner(ctx, key);
  }
  partner->chosen = true;
  partner->since = ctx.now;
  return partner;
}

Partner* meet_partner(Context& ctx, const PartnerKey& key) {
  if (Partner* partner = find_partner(ctx, key)) return partner;
  const std::string network = network_of(key.address);
  const bool room = make_room(ctx, limits::kPartnersPerHost,
                              [&network](const Partner& partner) {
                                return !partner.chosen && network_of(partner.address) == network;
                              }) &&
                    make_room(ctx, limits::kGossipPartners - limits::kGossipChosen,
                              [](const Partner& partner) { return !partner.chosen; });
  return room ? &add_partner(ctx, key) : nullptr;
}

bool is_chosen(const Context& ctx, const DeviceId& device) {
  return std::any_of(ctx.partners.begin(), ctx.partners.end(), [&device](const auto& entry) {
    return entry.second.chosen && entry.first.device == device;
  });
}

codec::AddressCookie cookie_for(const Context& ctx, const std::string& address,
                                QuestionNumber number) {
  return cookie_of(ctx, address, ctx.now.us / kCookieUs, number);
}

bool is_cookie_for(const Context& ctx, const std::string& address,
                   const codec::AddressCookie& echo) {
  const std::int64_t period = ctx.now.us / kCookieUs;
  const QuestionNumber number = echo.data.back();
  return echo == cookie_of(ctx, address, period, number) ||
         echo == cookie_of(ctx, address, period - 1, number);
}

bool may_gossip(const Context& ctx, const std::string& address) {
  return may_catch_up(ctx, ctx.budget.class_of(address));
}

bool may_gossip(const Context& ctx, const Partner& partner) {
  return may_catch_up(ctx, class_of(ctx, partner));
}

void count_received(Context& ctx, const PartnerKey& from, std::size_t bytes) {
  const Partner* partner = find_partner(ctx, from);
  const int known = partner == nullptr ? LinkBudget::kNone : class_of(ctx, *partner);
  ctx.budget.spend(known != LinkBudget::kNone ? known : ctx.budget.class_of(from.address), bytes);
}

void drop_datagram(Context& ctx, std::string_view reason) {
  ++ctx.counters.datagrams_dropped[reason];
}

void send_datagram(Context& ctx, const Partner& partner, codec::DatagramBody body) {
  codec::GossipDatagram datagram;
  datagram.echo = partner.cookie;
  datagram.body = std::move(body);
  send_to(ctx, partner.address, class_of(ctx, partner), std::move(datagram));
}

void send_cookie(Context& ctx, const std::string& address, const codec::AddressCookie& echo,
                 QuestionNumber number) {
  codec::GossipDatagram datagram;
  datagram.echo = echo;
  datagram.body = codec::CookieDatagram{cookie_for(ctx, address, number)};
  send_to(ctx, address, ctx.budget.class_of(address), std::move(datagram));
}

void renew_bounds(Partner& partner) {
  partner.budget = limits::kDatagramsPerExchange;
  partner.reads_left = limits::kDatagramReads;
  partner.heads_sent = false;
}

Partner* asked_elsewhere(Context& ctx, const Datagram& datagram,
                         const codec::GossipDatagram& gossip) {
  const PartnerKey key{gossip.device, datagram.from};
  if (ctx.stranger_asked && is_cookie_for(ctx, *ctx.stranger_asked, gossip.echo)) {
    const std::string address = *std::exchange(ctx.stranger_asked, std::nullopt);
    Partner* partner = choose_partner_at(ctx, key);
    if (partner == nullptr || partner->asked) return partner;
    partner->listens = address;
    partner->asked = ctx.now;
    partner->asked_again = false;
    partner->question = kNoQuestion;
    renew_bounds(*partner);
    return partner;
  }
  for (const auto& [other, partner] : ctx.partners) {
    const bool asked = other.device == gossip.device && !partner.asked_again &&
                       time_of_question(ctx, partner, gossip.echo);
    if (!asked || !is_cookie_for(ctx, other.address, gossip.echo)) continue;
    return other == key ? find_partner(ctx, key)
                        : move_partner(ctx, PartnerKey(other), key.address);
  }
  return nullptr;
}

void begin_question(Context& ctx, Partner& partner) {
  partner.asked = ctx.now;
  partner.asked_again = false;
  partner.question =
      partner.question == 0xff ? 1 : static_cast<QuestionNumber>(partner.question + 1);
}

void give_up_question(Partner& partner) {
  // Of several the oldest, or no answer would be in time for a way longer than two of them.
  const bool counts = partner.given_up && *partner.asked - partner.given_up->sent <= kAnswerMax;
  if (!counts) partner.given_up = GivenUp{partner.question, *partner.asked};
  partner.asked.reset();
}

bool end_question(Context& ctx, Partner& partner, const codec::AddressCookie& echo) {
  const std::optional<Instant> sent = time_of_question(ctx, partner, echo);
  if (!sent) return false;
  partner.rtt = ctx.now - *sent;
  partner.asked.reset();
  partner.given_up.reset();
  return true;
}

bool spend(Partner& partner) {
  if (!partner.proven || partner.budget == 0) return false;
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
