#include "mesh/gossip.h"

#include <algorithm>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/host_port.h"
#include "mesh/datagrams.h"
#include "mesh/dialer.h"
#include "mesh/settle.h"

namespace ebb::mesh {
namespace {

constexpr std::uint32_t kSilencesMax = 2;  // then it is dialled
constexpr std::uint32_t kRoundsMax = 2;    // of an exchange, then it is dialled
constexpr std::uint32_t kDoublingsMax = 8;
constexpr Duration kExchangePause = milliseconds(200);  // between exchanges that a partner begins

Duration interval(const Context& ctx) {
  if (greeted_links(ctx) < 2) return ctx.config.gossip_interval_lonely;
  Duration pause = ctx.config.gossip_interval;
  for (std::uint32_t i = 0; i < ctx.gossip_doublings; ++i)
    pause = std::min(pause * 2, ctx.config.gossip_interval_max);
  return pause;
}

// The logs of the partner's device as we hold them. For an address that is not proven so few that
// no root is larger than three times another one: an answer to a false address makes no flood.
void describe_view(Context& ctx, const Partner& partner, codec::RootDatagram& root) {
  const trust::FingerprintSum sum = ctx.heads.device_sum(partner.device);
  root.view = sum.fingerprint();
  root.view_count = sum.count();
  if (sum.count() > (partner.proven ? limits::kViewPerDatagram : limits::kViewUnproven)) return;
  for (const LogEntry* entry : ctx.heads.of_device(partner.device)) {
    if (entry->held.seq == 0) continue;
    codec::ListedHead head{entry->id, entry->held.seq, {}};
    std::copy_n(entry->held.chain.data.begin(), head.chain.data.size(), head.chain.data.begin());
    root.view_heads.push_back(head);
  }
}

void send_root(Context& ctx, Partner& partner, bool answer) {
  codec::RootDatagram root;
  root.cookie = cookie_for(ctx, partner.address);
  root.root = ctx.heads.root().fingerprint();
  root.count = ctx.heads.root().count();
  root.epoch = ctx.config.epoch;
  root.arrival_head = ctx.arrival_head;
  const auto cursor = ctx.cursors.find(partner.device);
  if (cursor != ctx.cursors.end()) root.cursor = cursor->second;
  describe_view(ctx, partner, root);
  root.listen_port = ctx.config.listen_port;
  root.answer = answer;
  send_datagram(ctx, partner, std::move(root));
}

void ask(Context& ctx, Partner& partner) {
  partner.asked = ctx.now;
  partner.budget = limits::kDatagramsPerExchange;
  partner.heads_sent = false;
  partner.too_much = false;
  partner.again_at.reset();
  send_root(ctx, partner, false);
}

bool has_no_link(Context& ctx, const Target& target) {
  if (target.self || (target.device && is_linked(ctx, *target.device))) return false;
  const auto it = target.link ? ctx.links.find(*target.link) : ctx.links.end();
  return it == ctx.links.end() || it->second.slot == kNoSlot;
}

// The address that listens behind a datagram's source; empty when none does.
std::string listening_address(const std::string& from, std::uint16_t port) {
  const Result<HostPort> source = parse_peer_address(from);
  if (!source.ok() || port == 0) return {};
  return host_port_text({source->host, port});
}

void dial_partner(Context& ctx, Partner& partner) {
  partner.rounds = 0;
  partner.again_at.reset();
  partner.want_at.reset();
  if (!partner.listens.empty()) dial_soon(ctx, partner.listens, partner.device);
}

void agree(Context& ctx, Partner& partner, const codec::RootDatagram& root) {
  partner.rounds = 0;
  partner.again_at.reset();
  partner.want_at.reset();
  partner.lacking.clear();
  ctx.gossip_doublings = 0;
  // What it has is what we have, so its arrivals up to here are known.
  ctx.cursors[partner.device] = {root.epoch, root.arrival_head};
}

void on_body(Context& ctx, Partner& partner, const codec::RootDatagram& root) {
  const bool begins = !root.answer;
  if (begins && partner.begun && ctx.now - *partner.begun < kExchangePause) return;
  partner.cookie = root.cookie;
  partner.cursor = root.cursor;
  partner.own_settled = own_is_settled(ctx, root);
  const trust::FingerprintSum& mine = ctx.heads.root();
  const bool equal = root.root == mine.fingerprint() && root.count == mine.count();
  if (begins) {
    partner.begun = ctx.now;
    partner.budget = limits::kDatagramsPerExchange;
    partner.heads_sent = false;
    send_root(ctx, partner, true);
    if (equal) agree(ctx, partner, root);
    return;
  }
  if (!partner.asked) return;  // late, or never asked for
  partner.rtt = ctx.now - *std::exchange(partner.asked, std::nullopt);
  partner.silences = 0;
  if (equal) {
    agree(ctx, partner, root);
  } else if (++partner.rounds > kRoundsMax || !send_heads(ctx, partner)) {
    dial_partner(ctx, partner);
  } else {
    partner.again_at = ctx.now + patience(partner) * 2;
  }
}

void on_body(Context& ctx, Partner& partner, const codec::HeadsDatagram& heads) {
  if (partner.proven) on_heads(ctx, partner, heads);
}
void on_body(Context& ctx, Partner& partner, const codec::WantDatagram& want) {
  if (partner.proven) on_want(ctx, partner, want);
}
void on_body(Context& ctx, Partner& partner, const codec::SegmentsDatagram& segments) {
  if (partner.proven) on_segments(ctx, partner, segments);
}

// A device to speak to: one of those we keep, or a new one where they are few. Null: nobody.
Partner* choose_partner(Context& ctx) {
  std::vector<Partner*> kept;
  for (auto it = ctx.partners.begin(); it != ctx.partners.end();) {
    Partner& partner = it->second;
    const bool over = ctx.now - partner.since > ctx.config.gossip_keep;
    if (partner.chosen && (over || is_linked(ctx, partner.device))) {
      it = ctx.partners.erase(it);
      continue;
    }
    if (partner.chosen) kept.push_back(&partner);
    ++it;
  }
  if (kept.size() >= limits::kGossipChosen) return kept[ctx.rng.below(kept.size())];
  std::vector<const Target*> candidates;
  std::vector<const Target*> configured;
  for (const auto& [address, target] : ctx.targets) {
    if (!has_no_link(ctx, target) || !target.device) continue;
    const Partner* known = find_partner(ctx, *target.device);
    if (known != nullptr && known->chosen) continue;
    candidates.push_back(&target);
    if (target.configured) configured.push_back(&target);
  }
  // A configured peer may know nobody but who tells it, so half of the datagrams go to those.
  if (!configured.empty() && ctx.rng.chance(1, 2)) candidates.swap(configured);
  if (candidates.empty()) return kept.empty() ? nullptr : kept[ctx.rng.below(kept.size())];
  const Target& target = *candidates[ctx.rng.below(candidates.size())];
  Partner* partner = find_or_add_partner(ctx, *target.device);
  if (partner == nullptr) return nullptr;
  partner->chosen = true;
  partner->since = ctx.now;
  partner->address = target.address;
  partner->listens = target.address;
  return partner;
}

// What a partner owes or is owed.
void run_partner(Context& ctx, Partner& partner) {
  if (is_linked(ctx, partner.device)) {
    partner.asked.reset();
    partner.want_at.reset();
    partner.again_at.reset();
    partner.too_much = false;
    return;
  }
  if (partner.asked && *partner.asked + patience(partner) <= ctx.now) {
    partner.asked.reset();
    if (++partner.silences >= kSilencesMax) {
      partner.silences = 0;
      dial_partner(ctx, partner);
    }
  }
  if (partner.want_at && *partner.want_at <= ctx.now) {
    partner.want_at.reset();
    // Nothing left of it: live pushes brought it, so there is no need to ask often.
    const bool old = send_wants(ctx, partner);
    ctx.gossip_doublings = old ? 0 : std::min(ctx.gossip_doublings + 1, kDoublingsMax);
  }
  if (partner.too_much) {
    partner.too_much = false;
    dial_partner(ctx, partner);
  }
  if (partner.again_at && *partner.again_at <= ctx.now) ask(ctx, partner);
}

// An address of which no device is known can only be asked by the plainest of datagrams.
void ask_strangers(Context& ctx) {
  std::vector<const Target*> strangers;
  for (const auto& [address, target] : ctx.targets) {
    if (!target.device && has_no_link(ctx, target)) strangers.push_back(&target);
  }
  if (strangers.empty()) return;
  Partner stranger;
  stranger.address = strangers[ctx.rng.below(strangers.size())]->address;
  send_root(ctx, stranger, false);
}

}  // namespace

void on_datagram(Context& ctx, const Datagram& datagram) {
  ++ctx.counters.datagrams_in;
  const Result<codec::GossipDatagram> gossip = codec::decode_datagram(datagram.bytes);
  if (!gossip.ok() || gossip->mesh != ctx.config.mesh || gossip->device == ctx.config.self) {
    ++ctx.counters.datagrams_dropped;
    return;
  }
  if (is_linked(ctx, gossip->device)) return;
  Partner* partner = find_or_add_partner(ctx, gossip->device);
  if (partner == nullptr) {
    ++ctx.counters.datagrams_dropped;
    return;
  }
  note_address(ctx, *partner, datagram.from, gossip->echo);
  if (const auto* root = std::get_if<codec::RootDatagram>(&gossip->body)) {
    const std::string address = listening_address(datagram.from, root->listen_port);
    Target* target =
        address.empty() ? nullptr : add_target(ctx, address, gossip->device, false, false);
    if (target != nullptr) target->heard = ctx.now;
    partner->listens = address;
  }
  std::visit([&](const auto& body) { on_body(ctx, *partner, body); }, gossip->body);
}

void run_gossip(Context& ctx) {
  for (auto& [device, partner] : ctx.partners)
    run_partner(ctx, partner);
  if (!ctx.gossip_at || *ctx.gossip_at > ctx.now) return;
  ctx.gossip_at.reset();
  if (Partner* partner = choose_partner(ctx)) {
    if (!partner->asked && !partner->again_at) ask(ctx, *partner);
  } else {
    ask_strangers(ctx);
  }
}

void plan_gossip(Context& ctx) {
  const Duration mean = interval(ctx);
  const auto spread = static_cast<std::uint64_t>(std::max<std::int64_t>(mean.us / 2, 1));
  // Three to five quarters of the interval, so that neighbours do not fall into step.
  const bool too_late = ctx.gossip_at && *ctx.gossip_at > ctx.now + mean * 5 / 4;
  if (ctx.gossip_at && !too_late) return;
  const auto jitter = static_cast<std::int64_t>(ctx.rng.below(spread));
  ctx.gossip_at = ctx.now + mean * 3 / 4 + microseconds(jitter);
}

std::optional<Instant> next_gossip_deadline(const Context& ctx) {
  std::optional<Instant> next = ctx.gossip_at;
  const auto consider = [&next](const std::optional<Instant>& at) {
    if (at && (!next || *at < *next)) next = at;
  };
  for (const auto& [device, partner] : ctx.partners) {
    if (partner.asked) consider(*partner.asked + patience(partner));
    if (partner.too_much) consider(ctx.now);
    consider(partner.want_at);
    consider(partner.again_at);
  }
  return next;
}

}  // namespace ebb::mesh
