#include "mesh/gossip_choice.h"

#include <optional>
#include <vector>

#include "mesh/admission.h"
#include "mesh/datagrams.h"
#include "mesh/dialer.h"
#include "mesh/presence.h"

namespace ebb::mesh {
namespace {

bool has_keys(Context& ctx, const DeviceId& device) {
  return may_gossip_with(ctx, device) && ctx.sessions.of_device(device, ctx.now) != nullptr;
}

bool may_be_asked(Context& ctx, const Target& target) {
  // Its dial will tell.
  if (!target.device || leads_back(ctx, target) || target.announced) return false;
  if (!may_gossip(ctx, target.address) || is_linked(ctx, *target.device)) return false;
  const Link* link = target.link ? ctx.links.find(*target.link) : nullptr;
  return link == nullptr || link->slot == kNoSlot;
}

// Those chosen here that may be asked; the others are let go, or wait.
std::vector<Partner*> keep_partners(Context& ctx) {
  std::vector<Partner*> kept;
  for (auto it = ctx.partners.begin(); it != ctx.partners.end();) {
    Partner& partner = it->second;
    const bool over = ctx.now - partner.since > ctx.config.gossip_keep;
    const bool of_use = !is_linked(ctx, partner.device) && has_keys(ctx, partner.device);
    if (partner.chosen && (over || !of_use)) {
      it = ctx.partners.erase(it);
      continue;
    }
    if (partner.chosen && may_gossip(ctx, partner)) kept.push_back(&partner);
    ++it;
  }
  return kept;
}

std::optional<KnownAddress> draw_target(Context& ctx) {
  std::vector<const Target*> candidates;
  std::vector<const Target*> configured;
  for (const auto& [address, target] : ctx.targets) {
    if (!may_be_asked(ctx, target) || is_chosen(ctx, *target.device)) continue;
    candidates.push_back(&target);
    if (target.configured) configured.push_back(&target);
  }
  // A configured peer may know nobody but who tells it, so half of the questions go to those.
  if (!configured.empty() && ctx.rng.chance(1, 2)) candidates.swap(configured);
  if (candidates.empty()) return std::nullopt;
  const Target& target = *candidates[ctx.rng.below(candidates.size())];
  return KnownAddress{*target.device, target.address};
}

// Somebody new to speak to.
std::optional<KnownAddress> draw(Context& ctx, bool& announced) {
  std::optional<KnownAddress> found = draw_target(ctx);
  announced = !found;
  return announced ? draw_presence(ctx) : found;
}

void meet_by_link(Context& ctx, const KnownAddress& known, bool announced) {
  // While links are wanted these are tried anyhow, one by one.
  if (announced && ctx.presence.offer_at) return;
  if (announced && announce_target(ctx, known) == nullptr) return;
  dial_when_due(ctx, known.address);
  ++ctx.counters.gossip["by_link"];
}

}  // namespace

Partner* choose_partner(Context& ctx) {
  std::vector<Partner*> kept = keep_partners(ctx);
  bool announced = false;
  std::optional<KnownAddress> found;
  if (kept.size() < limits::kGossipChosen) found = draw(ctx, announced);
  if (found && !has_keys(ctx, found->device)) {
    meet_by_link(ctx, *found, announced);
  } else if (found) {
    kept.assign(1, choose_partner_of(ctx, found->device));
    if (kept.front() != nullptr) kept.front()->listens = found->address;
  }
  return kept.empty() ? nullptr : kept[ctx.rng.below(kept.size())];
}

}  // namespace ebb::mesh
