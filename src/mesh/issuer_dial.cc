#include "mesh/issuer_dial.h"

#include <optional>
#include <utility>

#include "mesh/dialer.h"
#include "mesh/presence.h"

namespace ebb::mesh {
namespace {

constexpr Duration kAway = seconds(600);  // an issuer may dial us, or be met by chance
constexpr Duration kEvery = seconds(3600);

bool is_issuer(const Context& ctx, const DeviceId& device) {
  return ctx.membership->verdict(device).may(trust::roles::kIssuer);
}

bool has_issuer(const Context& ctx) {
  for (const Link* link : ctx.slots) {
    if (link != nullptr && !link->admission.refuses && is_issuer(ctx, *link->peer)) return true;
  }
  return false;
}

Duration random_below(Context& ctx, Duration bound) {
  return microseconds(
      static_cast<std::int64_t>(ctx.rng.below(static_cast<std::uint64_t>(bound.us))));
}

// Of the addresses of issuers that are known otherwise than by presence one with the fewest
// failures, and of those that whose turn comes first.
const Target* best_target(Context& ctx) {
  const auto order = [](const Target& each) { return std::pair(each.failures, each.next); };
  const Target* best = nullptr;
  for (const auto& [address, target] : ctx.targets) {
    if (!target.device || target.link || leads_back(ctx, target)) continue;
    if (is_linked(ctx, *target.device) || !is_issuer(ctx, *target.device)) continue;
    if (best == nullptr || order(target) < order(*best)) best = &target;
  }
  return best;
}

// It has moved, perhaps; or it was away, and what it says is old.
bool tries_presence(Context& ctx, const Target* known) {
  return known == nullptr || (known->failures > 0 && ctx.rng.chance(1, 2));
}

}  // namespace

void dial_issuer(Context& ctx) {
  Membership& membership = *ctx.membership;
  std::optional<Instant>& due = membership.issuer_dial_at;
  if (membership.can_issue() || !membership.wants_certificate() || has_issuer(ctx)) {
    due.reset();
    return;
  }
  if (!due) due = ctx.now + kAway + random_below(ctx, kEvery);
  if (*due > ctx.now) return;
  due = ctx.now + kEvery / 2 + random_below(ctx, kEvery);
  const Target* known = best_target(ctx);
  if (tries_presence(ctx, known)) {
    const auto said =
        presence_of(ctx, [&ctx](const DeviceId& device) { return is_issuer(ctx, device); });
    const Target* announced = said ? announce_target(ctx, *said) : nullptr;
    if (announced != nullptr) known = announced;
  }
  if (known != nullptr) dial_when_due(ctx, known->address);
}

}  // namespace ebb::mesh
