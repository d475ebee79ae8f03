#include "mesh/time_records.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "core/limits.h"
#include "mesh/certify.h"

namespace ebb::mesh {
namespace {

constexpr std::int64_t kSilenceMs = 30 * limits::kDayMs;
constexpr std::uint64_t kSpreadUs = static_cast<std::uint64_t>(limits::kDayMs) * 1000;

bool is_old(const Context& ctx, WallTime at) { return ctx.wall.ms - at.ms >= kSilenceMs; }

// When the issuer on this device signed last, of what counts; 0: never.
WallTime signed_last(const Context& ctx) {
  const Membership& membership = *ctx.membership;
  const DeviceId& issuer = membership.config().issuer->device();
  const Position end = membership.authority().end(issuer);
  if (end.seq == 0) return WallTime{};
  const auto last = membership.authority().records(issuer, end.seq, 1);
  if (last.empty()) return WallTime{};
  const auto read = trust::read_authority_record(ctx.config.mesh, last.front());
  return read.ok() ? read->record.at : WallTime{};
}

bool peers_agree(const Context& ctx, const std::vector<HeardClock>& clocks) {
  const auto near = std::count_if(clocks.begin(), clocks.end(), [&ctx](const HeardClock& clock) {
    return std::abs(clock.now.ms - ctx.wall.ms) <= limits::kTimeFloorMs;
  });
  return near >= std::ptrdiff_t{limits::kTimeFloorPeers};
}

}  // namespace

bool wants_time_record(const Context& ctx) {
  return may_sign(ctx).ok() && is_old(ctx, ctx.membership->floor()) &&
         is_old(ctx, signed_last(ctx));
}

void record_time(Context& ctx, const std::vector<HeardClock>& clocks) {
  std::optional<Instant>& due = ctx.membership->time_record_at;
  if (!wants_time_record(ctx) || !peers_agree(ctx, clocks)) {
    due.reset();
    return;
  }
  if (!due) due = ctx.now + microseconds(static_cast<std::int64_t>(ctx.rng.below(kSpreadUs)));
  if (*due > ctx.now) return;
  // Where it could not be signed, the next one tomorrow.
  due = ctx.now + milliseconds(limits::kDayMs);
  (void)ctx.membership->wish({std::nullopt, std::nullopt, std::nullopt, trust::record::Time{}, {}});
}

}  // namespace ebb::mesh
