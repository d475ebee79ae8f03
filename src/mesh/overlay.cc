#include "mesh/overlay.h"

#include <algorithm>
#include <vector>

#include "mesh/peers.h"

namespace ebb::mesh {
namespace {

constexpr Duration kTimeToBring = seconds(10);
constexpr std::size_t kLeaningLinks = 32;  // of partial nodes at a relay, beside its slots

bool has_slot(const Link* link) { return link != nullptr && !link->surplus; }

bool is_configured(const Context& ctx, const Link& link) {
  return std::any_of(ctx.targets.begin(), ctx.targets.end(), [&link](const auto& entry) {
    return entry.second.configured && entry.second.device == link.peer;
  });
}

// The first link to a configured peer; null when there is none.
const Link* pinned(const Context& ctx) {
  for (const Link* link : ctx.slots) {
    if (has_slot(link) && is_configured(ctx, *link)) return link;
  }
  return nullptr;
}

}  // namespace

bool is_relay(const Link& link) {
  const bool says_so = (link.theirs.features & codec::kFeatureRelay) != 0;
  return says_so && link.takes_others && link.theirs.my_scope == ScopeHash{};
}

namespace {

// Those that lean on us have places of their own.
bool has_place(const Link* link) { return has_slot(link) && !link->leans; }

std::size_t leaning(const Context& ctx) {
  return static_cast<std::size_t>(
      std::count_if(ctx.slots.begin(), ctx.slots.end(),
                    [](const Link* link) { return has_slot(link) && link->leans; }));
}

std::size_t relays(const Context& ctx) {
  return static_cast<std::size_t>(
      std::count_if(ctx.slots.begin(), ctx.slots.end(),
                    [](const Link* link) { return has_slot(link) && is_relay(*link); }));
}

bool needs_relays(const Context& ctx) { return !ctx.config.scope.is_full(); }

bool was_short(const Link& link) {
  return (link.theirs.features & codec::kFeatureShortOfLinks) != 0;
}

// What would be missed without the link, here and there: news that it brings, less those that its
// peer has from others.
std::int64_t use_of(const Link& link) { return link.brings - link.lazy_logs; }

// The link of the least use; of several rather one whose peer had links enough when it came, and of
// those any. Null when none may go: our last relay does not.
Link* least_of_use(Context& ctx, const Link& except) {
  const Link* kept = pinned(ctx);
  const bool keep_relay = needs_relays(ctx) && relays(ctx) == 1;
  std::vector<Link*> least;
  const auto use = [](const Link* link) { return std::pair(use_of(*link), was_short(*link)); };
  for (Link* link : ctx.slots) {
    if (!has_place(link) || link == kept || link == &except) continue;
    if (keep_relay && is_relay(*link)) continue;
    if (!least.empty() && use(link) > use(least.front())) continue;
    if (!least.empty() && use(link) < use(least.front())) least.clear();
    least.push_back(link);
  }
  return least.empty() ? nullptr : least[ctx.rng.below(least.size())];
}

void take_slot_of(Context& ctx, Link& link, Link& other) {
  link.surplus = false;
  other.surplus = true;
  touch(ctx, other);
}

bool is_caught_up(const Link& link) {
  const bool serves = !link.jobs.empty() || !link.serving.empty() || link.reads_out > 0;
  const bool receives = !link.asked.empty() || link.wants_out > 0 || link.uncommitted > 0;
  return link.phase == Phase::kLive && !link.exchange.active && !serves && !receives;
}

}  // namespace

std::size_t overlay_links(const Context& ctx) {
  return static_cast<std::size_t>(std::count_if(ctx.slots.begin(), ctx.slots.end(), has_place));
}

std::size_t overlay_aim(const Context& ctx) {
  const bool is_small = !knows_devices(ctx, limits::kOverlayLinks);
  return is_small ? limits::kOverlayLinks : limits::kOverlayAim;
}

std::uint64_t overlay_features(Context& ctx, const Link& link) {
  const bool relay = ctx.config.scope.is_full() && ctx.config.relay && link.tells_others;
  const std::uint64_t of_scope =
      (relay ? codec::kFeatureRelay : 0) | (wants_relay(ctx) ? codec::kFeatureWantsRelay : 0);
  const std::size_t links = overlay_links(ctx);
  if (links >= limits::kOverlayMin) return of_scope;
  const bool lost = links == 0 && !knows_others(ctx, link);
  return of_scope | codec::kFeatureShortOfLinks | (lost ? codec::kFeatureWantsPeers : 0);
}

bool has_pinned(const Context& ctx) { return pinned(ctx) != nullptr; }

bool wants_relay(const Context& ctx) { return needs_relays(ctx) && relays(ctx) == 0; }

void overlay_joined(Context& ctx, Link& link) {
  link.surplus = false;
  link.leans = (link.mine.features & codec::kFeatureRelay) != 0 &&
               (link.theirs.features & codec::kFeatureWantsRelay) != 0;
  for (auto& [address, target] : ctx.targets) {
    if (target.device == link.peer) target.no_relay = !is_relay(link);
  }
  if (link.leans && leaning(ctx) <= kLeaningLinks) return;
  link.leans = false;
  if (overlay_links(ctx) <= limits::kOverlayLinks) return;
  const bool ours = needs_relays(ctx) && is_relay(link) && relays(ctx) == 1;
  link.surplus = true;
  touch(ctx, link);
  Link* other = was_short(link) || ours ? least_of_use(ctx, link) : nullptr;
  if (other != nullptr) take_slot_of(ctx, link, *other);
}

void overlay_left(Context& ctx) {
  if (overlay_links(ctx) >= limits::kOverlayAim) return;
  for (Link* link : ctx.slots) {
    if (link == nullptr || !link->surplus) continue;
    link->surplus = false;
    return;
  }
}

void note_bringer(Context& ctx, Link& link, LogEntry& entry) {
  if (entry.bringer == link.slot) return;
  if (entry.bringer != kNoSlot) --ctx.slots[static_cast<std::size_t>(entry.bringer)]->brings;
  ++link.brings;
  entry.bringer = link.slot;
}

void shed_surplus(Context& ctx, Link& link) {
  if (!link.surplus || !link.greeted() || link.flush_at || !is_caught_up(link)) return;
  Link* other = least_of_use(ctx, link);
  // Who came short of links has had no time to bring anything.
  const bool is_new =
      other != nullptr && was_short(*other) && ctx.now - other->since < kTimeToBring;
  // That of the others is often less than nothing, and who has brought nothing would take a place
  // for that alone.
  const bool is_better = link.brings > 0 && other != nullptr && use_of(*other) < use_of(link);
  if (is_better && !is_new) {
    return take_slot_of(ctx, link, *other);
  }
  say_bye(ctx, link, codec::ByeCode::kOverlayFull, "links enough");
  link.turned_away = true;
  close_link(ctx, link, "links enough");
}

}  // namespace ebb::mesh
