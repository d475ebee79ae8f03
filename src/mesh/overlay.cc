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

// The link that makes room for a peer that is short of links; null when none may go.
Link* victim_for(Context& ctx, const Link& newcomer) {
  const Link* kept = pinned(ctx);
  std::vector<Link*> candidates;
  for (Link* link : ctx.slots) {
    if (has_slot(link) && link != kept && link != &newcomer) candidates.push_back(link);
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
  const std::size_t links = overlay_links(ctx);
  if (links >= limits::kOverlayMin) return 0;
  const bool lost = links == 0 && !knows_others(ctx, link);
  return codec::kFeatureShortOfLinks | (lost ? codec::kFeatureWantsPeers : 0);
}

bool has_pinned(const Context& ctx) { return pinned(ctx) != nullptr; }

void overlay_joined(Context& ctx, Link& link) {
  link.surplus = false;
  if (overlay_links(ctx) <= limits::kOverlayLinks) return;
  const bool is_short = (link.theirs.features & codec::kFeatureShortOfLinks) != 0;
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
