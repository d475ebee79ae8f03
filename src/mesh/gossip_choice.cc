#include "mesh/gossip_choice.h"

#include <vector>

#include "mesh/datagrams.h"
#include "mesh/dialer.h"
#include "mesh/presence.h"

namespace ebb::mesh {
namespace {

bool may_be_asked(Context& ctx, const Target& target) {
  if (!may_gossip(ctx, target.address)) return false;
  if (leads_back(ctx, target) || (target.device && is_linked(ctx, *target.device))) return false;
  const Link* link = target.link ? ctx.links.find(*target.link) : nullptr;
  return link == nullptr || link->slot == kNoSlot;
}

}  // namespace

Partner* choose_partner(Context& ctx) {
  std::vector<Partner*> kept;
  for (auto it = ctx.partners.begin(); it != ctx.partners.end();) {
    Partner& partner = it->second;
    const bool over = ctx.now - partner.since > ctx.config.gossip_keep;
    if (partner.chosen && (over || is_linked(ctx, partner.device))) {
      it = ctx.partners.erase(it);
      continue;
    }
    if (partner.chosen && may_gossip(ctx, partner)) kept.push_back(&partner);
    ++it;
  }
  if (kept.size() >= limits::kGossipChosen) return kept[ctx.rng.below(kept.size())];
  std::vector<const Target*> candidates;
  std::vector<const Target*> configured;
  for (const auto& [address, target] : ctx.targets) {
    if (!may_be_asked(ctx, target) || !target.device || is_chosen(ctx, *target.device)) continue;
    if (target.announced) continue;  // its dial will tell
    candidates.push_back(&target);
    if (target.configured) configured.push_back(&target);
  }
  // A configured peer may know nobody but who tells it, so half of the datagrams go to those.
  if (!configured.empty() && ctx.rng.chance(1, 2)) candidates.swap(configured);
  std::optional<PartnerKey> key;
  const bool announced = candidates.empty();
  if (announced) {
    key = draw_presence(ctx);
  } else {
    const Target& target = *candidates[ctx.rng.below(candidates.size())];
    key = {*target.device, target.address};
  }
  if (!key) return kept.empty() ? nullptr : kept[ctx.rng.below(kept.size())];
  Partner* partner = choose_partner_at(ctx, *key);
  if (partner == nullptr) return nullptr;
  partner->listens = key->address;
  partner->announced = announced;
  return partner;
}

std::optional<std::string> draw_stranger(Context& ctx) {
  std::vector<const Target*> strangers;
  for (const auto& [address, target] : ctx.targets) {
    if (!target.device && may_be_asked(ctx, target)) strangers.push_back(&target);
  }
  if (strangers.empty()) return std::nullopt;
  return strangers[ctx.rng.below(strangers.size())]->address;
}

}  // namespace ebb::mesh
