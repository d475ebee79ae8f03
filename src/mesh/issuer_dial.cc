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
  for (const Link& link : ctx.links) {
    if (link.greeted() && is_issuer(ctx, *link.peer)) return true;
  }
  return false;
}

Duration random_below(Context& ctx, Duration bound) {
  return microseconds(
      static_cast<std::int64_t>(ctx.rng.below(static_cast<std::uint64_t>(bound.us))));
}

// Of the addresses of issuers that are known otherwise than by presence one with the fewest
// failures, and of those that whose turn comes first.
const Target* best_target(const Context& ctx) {
  const Target* best = nullptr;
  for (const auto& [address, target] : ctx.targets) {
    if (!target.device || target.link || leads_back(ctx, target)) continue;
    if (!is_issuer(ctx, *target.device)) continue;
    const auto order = [](const Target& each) { return std::pair(each.failures, each.next); };
    if (best == nullptr || order(target) < order(*best)) best = &target;
  }
  return best;
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
  if (known == nullptr || known->failures > 0) {
    const auto said =
        presence_of(ctx, [&ctx](const DeviceId& device) { return is_issuer(ctx, device); });
    const Target* announced = said ? announce_target(ctx, *said) : nullptr;
    if (announced != nullptr) known = announced;
  }
  if (known != nullptr) dial_when_due(ctx, known->address);
}

}  // namespace ebb::mesh
