#include "mesh/issuer_dial.h"

#include <cstdint>
#include <optional>
#include <vector>

#include "core/limits.h"
#include "mesh/certify.h"
#include "mesh/dialer.h"
#include "mesh/presence.h"

namespace ebb::mesh {
namespace {

constexpr Duration kAway = seconds(600);  // one that is linked needs seconds
constexpr Duration kEvery = seconds(3600);
constexpr Duration kBelieved = milliseconds(limits::kDayMs);

bool is_issuer(const Context& ctx, const DeviceId& device) {
  return ctx.membership->verdict(device).may(trust::roles::kIssuer);
}

Duration random_below(Context& ctx, Duration bound) {
  return microseconds(
      static_cast<std::int64_t>(ctx.rng.below(static_cast<std::uint64_t>(bound.us))));
}

bool is_doubted(const Context& ctx) {
  for (const Link& link : ctx.links) {
    if (!link.closed && is_doubted(ctx, link)) return true;
  }
  return false;
}

// Issuers at addresses that are known otherwise than by presence.
std::vector<const Target*> known_issuers(Context& ctx) {
  std::vector<const Target*> known;
  for (const auto& [address, target] : ctx.targets) {
    if (!target.device || target.link || leads_back(ctx, target)) continue;
    if (is_linked(ctx, *target.device) || !is_issuer(ctx, *target.device)) continue;
    known.push_back(&target);
  }
  return known;
}

// Where one says itself that it is.
const Target* announced_issuer(Context& ctx) {
  const auto said =
      presence_of(ctx, [&ctx](const DeviceId& device) { return is_issuer(ctx, device); });
  if (!said) return nullptr;
  const auto there = ctx.targets.find(said->address);
  if (there == ctx.targets.end()) return announce_target(ctx, *said);
  // What was told of that address before may be old, or never was true; and where a device has a
  // link nobody dials it.
  Target& target = there->second;
  if (!target.configured && target.device && is_linked(ctx, *target.device)) {
    target.device = said->device;
    target.first_hand = false;
  }
  return &target;
}

}  // namespace

void dial_issuer(Context& ctx) {
  Membership& membership = *ctx.membership;
  std::optional<Instant>& due = membership.issuer_dial_at;
  if (may_sign(ctx).ok() || !(membership.wants_certificate() || is_doubted(ctx))) {
    due.reset();
    return;
  }
  if (!due) due = ctx.now + kAway + random_below(ctx, kEvery);
  if (*due > ctx.now) return;
  due = ctx.now + kEvery / 2 + random_below(ctx, kEvery);
  const std::uint64_t place = ctx.rng.below(known_issuers(ctx).size() + 1);
  const Target* chosen = place == 0 ? announced_issuer(ctx) : nullptr;
  if (chosen == nullptr) {
    const std::vector<const Target*> known = known_issuers(ctx);
    if (!known.empty()) chosen = known[place == 0 ? ctx.rng.below(known.size()) : place - 1];
  }
  if (chosen != nullptr) dial_when_due(ctx, chosen->address);
}

void note_believed(Context& ctx, const Link& link) {
  Membership& membership = *ctx.membership;
  if (!membership.issuer_dial_at || membership.wants_certificate()) return;
  if (is_issuer(ctx, *link.peer)) membership.issuer_dial_at = ctx.now + kBelieved;
}

}  // namespace ebb::mesh
