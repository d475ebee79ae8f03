#include "mesh/dialer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "core/host_port.h"
#include "core/limits.h"
#include "mesh/overlay.h"
#include "mesh/peers.h"
#include "mesh/presence.h"

namespace ebb::mesh {
namespace {

constexpr std::uint32_t kFailuresMax = 20;            // more changes nothing
constexpr std::uint32_t kFailuresOfMisbehaviour = 6;  // about a minute
constexpr std::size_t kTroubleBytes = 160;            // of a reason that is kept
constexpr Duration kRefusalPause = seconds(30);       // at least, whatever is new
constexpr Duration kCopyPause = seconds(600);         // at least, where our own key answered
constexpr std::uint32_t kFailuresOfLearnt = 10;       // then a learnt address is forgotten
constexpr std::uint32_t kFailuresOfHearsay = 5;       // the same where only others told it
constexpr std::size_t kAnswersKept = 256;             // then they are found out anew
// Of who closed, or stood still, before a byte had come.
constexpr std::string_view kLeadsBack = "leads back to this node";
constexpr std::string_view kUnanswered = "no answer: another mesh, or another secret";
constexpr Duration kHeardLately = seconds(300);  // then it is not, for it would be learnt anew

Target* target_of(Context& ctx, const Link& link) {
  if (!link.dialled) return nullptr;
  const auto it = ctx.targets.find(link.address);
  return it != ctx.targets.end() && it->second.link == link.id ? &it->second : nullptr;
}

// Overlay links and dials on their way to be one.
std::size_t links_and_dials(const Context& ctx) {
  std::size_t count = overlay_links(ctx);
  for (const Link& link : ctx.links) {
    if (link.dialled && !link.closed && link.slot == kNoSlot) ++count;
  }
  return count;
}

bool is_free(Context& ctx, const Target& target) {
  if (target.link) return false;
  return !target.device || !is_linked(ctx, *target.device);
}

// What a dial may be for, now or later.
struct Demand {
  std::size_t slots = 0;    // overlay links to dial for
  bool configured = false;  // one configured peer is wanted whatever the number of links
  bool relay = false;       // so is one that may be a relay
  bool wants(const Target& target) const {
    return target.urgent || slots > 0 || (target.configured && (configured || !target.reached)) ||
           (relay && !target.no_relay);
  }
};

// Beyond those that there are or that are being dialled.
std::size_t links_wanted(const Context& ctx) {
  const std::size_t links = links_and_dials(ctx);
  const std::size_t aim = overlay_aim(ctx);
  return aim > links ? aim - links : 0;
}

Demand demand(Context& ctx) {
  const bool dialled = std::any_of(ctx.targets.begin(), ctx.targets.end(), [](const auto& entry) {
    return entry.second.configured && entry.second.link;
  });
  // One after the other: most will be.
  const bool dialling = links_and_dials(ctx) > overlay_links(ctx);
  return {links_wanted(ctx), !dialled && !has_pinned(ctx), wants_relay(ctx) && !dialling};
}

// Of those that are due: urgent ones, then a configured one if none has a link, then a random one.
Target* choose(Context& ctx) {
  const Demand wanted = demand(ctx);
  std::vector<Target*> due;
  std::vector<Target*> due_configured;
  for (auto& [address, target] : ctx.targets) {
    if (target.next > ctx.now || !wanted.wants(target) || !is_free(ctx, target)) continue;
    if (target.urgent) return &target;
    const bool first = target.configured && (wanted.configured || !target.reached);
    (first ? due_configured : due).push_back(&target);
  }
  std::vector<Target*>& best = due_configured.empty() ? due : due_configured;
  const auto is_none = [](const Target* target) { return target->no_relay; };
  // With a partial scope one link to a relay comes first.
  if (wanted.relay && !std::all_of(best.begin(), best.end(), is_none)) std::erase_if(best, is_none);
  return best.empty() ? nullptr : best[ctx.rng.below(best.size())];
}

void make_urgent(Context& ctx, Target& target) {
  ctx.dials_changed = true;
  target.urgent = true;
  std::size_t count = 0;
  Target* last = nullptr;
  for (auto& [address, other] : ctx.targets) {
    if (!other.urgent) continue;
    // It would keep its place for as long as the link lives.
    if (other.device && is_linked(ctx, *other.device)) {
      other.urgent = false;
      continue;
    }
    ++count;
    if (last == nullptr || other.next > last->next) last = &other;
  }
  if (count > limits::kUrgentDials) last->urgent = false;
}

void dial(Context& ctx, Target& target) {
  const LinkId id{ctx.next_link++};
  Link& link = ctx.links.add(id);
  link.dialled = true;
  link.address = target.address;
  link.remote = target.address;
  link.since = ctx.now;
  link.last_received = ctx.now;
  link.greeting_deadline = ctx.now + ctx.config.handshake_timeout;
  touch(ctx, link);
  target.link = id;
  target.urgent = false;
  ++ctx.counters.dials;
  if (target.announced) ++ctx.counters.presence_dials;
  ctx.out->dials.push_back({id, target.address});
}

// What a link that has compared everything left out, or may not carry, is left out by the next one,
// too.
void note_left_out(Context& ctx, const Link& link) {
  if (link.phase != Phase::kLive) return;
  for (auto& [address, target] : ctx.targets) {
    if (target.device != link.peer) continue;
    target.differences.left_out = link.incomplete;
    target.differences.limited = link.is_limited;
  }
}

// What is known now of why the target does not talk to us; told once when it does not answer.
void note_refusal(Context& ctx, const Link& link, Target& target) {
  const bool told = target.refusal == kUnanswered;
  target.refusal = link.refusal;
  target.trouble.clear();
  if (link.phase != Phase::kChannel || link.bytes_in > 0) return;
  target.trouble = kUnanswered;
  // Once alone it may have been ended in that moment.
  if (target.failures == 0) return;
  target.refusal = kUnanswered;
  if (!told)
    notice(ctx, link, NoticeKind::kUnanswered, link.address + ": " + std::string(kUnanswered));
}

// What the device itself has said holds at its address of the wire, or beyond it, too.
void rest_elsewhere(Context& ctx, const Target& target) {
  for (auto& [address, other] : ctx.targets) {
    if (other.device != target.device || other.link_scoped == target.link_scoped) continue;
    other.next = std::max(other.next, target.next);
    other.refused_until = std::max(other.refused_until, target.refused_until);
  }
}

bool are_certified(const Context& ctx, const Target& target) {
  return target.device && ctx.membership->own().is_full() &&
         ctx.membership->is_full(*target.device, 0);
}

}  // namespace

Duration dial_backoff(Context& ctx, std::uint32_t failures) {
  Duration ceiling = ctx.config.dial_backoff_min;
  for (std::uint32_t i = 0; i < failures && ceiling < ctx.config.dial_backoff_max; ++i) {
    ceiling = ceiling * 2;
  }
  ceiling = std::min(ceiling, ctx.config.dial_backoff_max);
  const auto bound = static_cast<std::uint64_t>(std::max<std::int64_t>(ceiling.us, 1));
  return microseconds(static_cast<std::int64_t>(ctx.rng.between(1, bound)));
}

Target* add_target(Context& ctx, const std::string& address, std::optional<DeviceId> device,
                   bool configured, bool first_hand) {
  ctx.dials_changed = true;
  if (const auto it = ctx.targets.find(address); it != ctx.targets.end()) {
    Target& known = it->second;
    known.configured = known.configured || configured;
    // Somebody else has told it too, and the store is to have it.
    if (std::exchange(known.announced, false)) known.stored = false;
    // Nobody's word replaces what a link has shown, or may show, of an address.
    const bool sure = known.device && (known.configured || known.first_hand);
    if (device && !known.link && (first_hand || !sure)) known.device = device;
    return &known;
  }
  if (!parse_peer_address(address).ok() || is_own_address(ctx, address)) return nullptr;
  if (!configured && !make_room(ctx, first_hand)) return nullptr;
  Target& target = ctx.targets[address];
  target.address = address;
  target.device = device;
  target.configured = configured;
  target.link_scoped = is_link_scoped(address);
  // A learnt address is dialled after a jitter, so that a mesh does not fall on a newcomer at once.
  if (!configured) target.next = ctx.now + dial_backoff(ctx, 0);
  return &target;
}

void dial_soon(Context& ctx, Target& target) {
  target.heard = ctx.now;
  target.next = std::min(target.next, ctx.now + dial_backoff(ctx, 0));
  target.next = std::max(target.next, target.refused_until);
  make_urgent(ctx, target);
}

void heard_nearby(Context& ctx, const std::string& address) {
  const auto answered = ctx.answered_at.find(address);
  std::optional<DeviceId> device;
  if (answered != ctx.answered_at.end()) device = answered->second;
  // Whoever has several addresses would be dialled at each in turn: the newer of two links stays.
  if (device && is_linked(ctx, *device)) return;
  Target* target = add_target(ctx, address, device, false, false);
  if (target == nullptr) return;
  // Forgotten while it is repeated it would be learnt anew, and its back-off begin anew.
  target->heard = ctx.now;
  // Anybody can repeat what somebody has said there once: nothing is dialled sooner for that.
  if (target->failures > 0) return;
  if (!target->device) target->next = std::min(target->next, ctx.now + dial_backoff(ctx, 0));
  target->next = std::max(target->next, target->refused_until);
}

void dial_when_due(Context& ctx, const std::string& address) {
  const auto it = ctx.targets.find(address);
  if (it != ctx.targets.end()) make_urgent(ctx, it->second);
}

void dial_certified(Context& ctx) {
  for (auto& [address, target] : ctx.targets) {
    if (!target.uncertified || !are_certified(ctx, target)) continue;
    target.uncertified = false;
    target.failures = 0;
    target.refused_until = {};
    target.next = std::min(target.next, ctx.now + dial_backoff(ctx, 0));
    ctx.dials_changed = true;
  }
}

bool is_linked(Context& ctx, const DeviceId& device) {
  return link_of_device(ctx, device) != nullptr;
}

void run_dialer(Context& ctx) {
  if (!ctx.dial_at || *ctx.dial_at > ctx.now) return;
  ctx.dials_changed = true;
  while (Target* target = choose(ctx))
    dial(ctx, *target);
}

void plan_dials(Context& ctx) {
  const bool dials_changed = std::exchange(ctx.dials_changed, false);
  if (std::exchange(ctx.presence.news, false) || dials_changed) {
    plan_offers(ctx, links_wanted(ctx) > 0);
  }
  if (!dials_changed) return;
  ctx.dial_at.reset();
  const Demand wanted = demand(ctx);
  for (const auto& [address, target] : ctx.targets) {
    if (!wanted.wants(target) || !is_free(ctx, target)) continue;
    if (!ctx.dial_at || target.next < *ctx.dial_at) ctx.dial_at = target.next;
  }
}

void dialer_found_device(Context& ctx, const Link& link) {
  ctx.dials_changed = true;
  if (Target* target = target_of(ctx, link)) {
    const bool wrong = target->announced && target->device && target->device != link.peer;
    if (wrong) presence_failed(ctx, *target->device, target->address, false);
    presence_answered(ctx, target->address);
    target->device = link.peer;
    if (ctx.answered_at.size() >= kAnswersKept) ctx.answered_at.clear();
    ctx.answered_at.insert_or_assign(target->address, *link.peer);
    target->heard = ctx.now;
    target->reached = true;
  }
}

void dialer_found_self(Context& ctx, const Link& link) {
  Target* target = target_of(ctx, link);
  if (target == nullptr) return;
  target->self_until = ctx.now + kCopyPause + dial_backoff(ctx, kFailuresMax);
  target->device.reset();
}

bool leads_back(const Context& ctx, const Target& target) { return target.self_until > ctx.now; }

void dialer_link_closed(Context& ctx, const Link& link, const std::string& reason) {
  ctx.dials_changed = true;
  if (link.phase == Phase::kConnecting) ++ctx.counters.dial_failures;
  note_left_out(ctx, link);
  if (Target* target = target_of(ctx, link); target != nullptr && target->announced) {
    if (target->device)
      presence_failed(ctx, *target->device, link.address, link.misbehaved || link.copied);
    ctx.targets.erase(link.address);
  } else if (target != nullptr) {
    target->link.reset();
    note_refusal(ctx, link, *target);
    if (link.phase == Phase::kConnecting) {
      target->reached = false;
      target->trouble = reason.substr(0, kTroubleBytes);
    }
    if (link.misbehaved) {
      target->failures = std::max(target->failures + 1, kFailuresOfMisbehaviour);
    } else {
      target->failures = link.settled ? 0 : std::min(target->failures + 1, kFailuresMax);
    }
    target->next = ctx.now + dial_backoff(ctx, target->failures);
    const bool unadmitted = link.unadmitted && ctx.membership != nullptr;
    target->uncertified = unadmitted && !are_certified(ctx, *target);
    if (link.misbehaved) {
      target->refused_until = ctx.now + kRefusalPause;
      target->next = target->next + kRefusalPause;
    }
    if (link.copied) {
      target->next = ctx.now + kCopyPause + dial_backoff(ctx, kFailuresMax);
      target->refused_until = target->next;
    }
    if (leads_back(ctx, *target)) {
      target->next = target->self_until;
      target->refused_until = target->next;
      target->trouble = kLeadsBack;
    }
    if (link.turned_away)
      target->next =
          ctx.now + ctx.config.dial_backoff_max / 2 + dial_backoff(ctx, kFailuresMax) / 2;
    if (link.peer && (link.turned_away || link.misbehaved)) rest_elsewhere(ctx, *target);
    const std::uint32_t patience = target->first_hand ? kFailuresOfLearnt : kFailuresOfHearsay;
    // Without any link the failures say more of ourselves than of the address.
    const bool heard = target->heard && ctx.now - *target->heard < kHeardLately;
    const bool tells = greeted_links(ctx) > 0 && !heard;
    if (tells && !target->configured && target->failures > patience) {
      ctx.targets.erase(link.address);
    }
  } else if (link.peer && link.settled) {
    // It dialled us and may do so again: leave it a moment to come back first.
    const std::uint32_t pause = link.turned_away ? kFailuresOfMisbehaviour : 0;
    for (auto& [address, other] : ctx.targets) {
      if (other.device != link.peer) continue;
      other.next = std::max(ctx.now + dial_backoff(ctx, pause), other.refused_until);
    }
  }
}

}  // namespace ebb::mesh
