#include "mesh/overlay.h"

#include <algorithm>
#include <vector>

#include "mesh/peers.h"

namespace ebb::mesh {
namespace {

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

bool is_relay(const Link& link) { return (link.theirs.features & codec::kFeatureRelay) != 0; }

std::size_t relays(const Context& ctx) {
  return static_cast<std::size_t>(
      std::count_if(ctx.slots.begin(), ctx.slots.end(),
                    [](const Link* link) { return has_slot(link) && is_relay(*link); }));
}

bool needs_relays(const Context& ctx) { return !ctx.config.scope.is_full(); }

// The link that makes room for a peer that is short of links; null when none may go. Those of peers
// that lean on us stay, up to half of all: anybody may say so.
Link* victim_for(Context& ctx, const Link& newcomer) {
  const Link* kept = pinned(ctx);
  const bool keep_relay = needs_relays(ctx) && relays(ctx) == 1;
  std::size_t leaning = 0;
  std::vector<Link*> candidates;
  for (Link* link : ctx.slots) {
    if (!has_slot(link) || link == kept || link == &newcomer) continue;
    if (keep_relay && is_relay(*link)) continue;
    if (link->leans && ++leaning <= limits::kOverlayLinks / 2) continue;
    candidates.push_back(link);
  }
  return candidates.empty() ? nullptr : candidates[ctx.rng.below(candidates.size())];
}

bool is_caught_up(const Link& link) {
  const bool serves = !link.jobs.empty() || !link.serving.empty() || link.reads_out > 0;
  const bool receives = !link.asked.empty() || link.wants_out > 0 || link.uncommitted > 0;
  return link.phase == Phase::kLive && !link.exchange.active && !serves && !receives;
}

}  // namespace

std::size_t overlay_links(const Context& ctx) {
  return static_cast<std::size_t>(std::count_if(ctx.slots.begin(), ctx.slots.end(), has_slot));
}

std::size_t overlay_aim(const Context& ctx) {
  return known_devices(ctx) < limits::kOverlayLinks ? limits::kOverlayLinks : limits::kOverlayAim;
}

std::uint64_t overlay_features(Context& ctx, const Link& link) {
  const bool relay = ctx.config.scope.is_full() && ctx.config.relay;
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
  if (overlay_links(ctx) <= limits::kOverlayLinks) return;
  const std::uint64_t theirs = link.theirs.features;
  const bool ours = needs_relays(ctx) && is_relay(link) && relays(ctx) == 1;
  const bool is_short = (theirs & codec::kFeatureShortOfLinks) != 0 || ours || link.leans;
  Link* victim = is_short ? victim_for(ctx, link) : nullptr;
  Link& loser = victim == nullptr ? link : *victim;
  loser.surplus = true;
  touch(ctx, loser);
}

void overlay_left(Context& ctx) {
  if (overlay_links(ctx) >= limits::kOverlayAim) return;
  for (Link* link : ctx.slots) {
    if (link == nullptr || !link->surplus) continue;
    link->surplus = false;
    return;
  }
}

void shed_surplus(Context& ctx, Link& link) {
  if (!link.surplus || !link.greeted() || link.flush_at || !is_caught_up(link)) return;
  say_bye(ctx, link, codec::ByeCode::kOverlayFull, "links enough");
  link.turned_away = true;
  close_link(ctx, link, "links enough");
}

}  // namespace ebb::mesh
