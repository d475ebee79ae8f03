#include "core/hlc.h"

#include <algorithm>

#include "core/check.h"
#include "core/limits.h"
#include "core/planted.h"

namespace ebb {
namespace {
constexpr std::int64_t kWallMax = (std::int64_t{1} << 48) - 1;
}  // namespace

Hlc Hlc::at(WallTime wall, std::uint16_t counter) {
  const std::int64_t ms = std::clamp<std::int64_t>(wall.ms, 0, kWallMax);
  return {(static_cast<std::uint64_t>(ms) << 16) | counter};
}

Hlc HlcClock::tick(WallTime now) {
  EBB_CHECK(last_.value < UINT64_MAX);  // 8,900 years from 1970 with every counter used up
  last_ = std::max(Hlc::at(now), Hlc{last_.value + (planted(Bug::kSameStamp) ? 0 : 1)});
  return last_;
}

void HlcClock::observe(Hlc remote, WallTime now) {
  const Hlc ceiling = Hlc::at({now.ms + limits::kRemoteAheadMs});
  last_ = std::max(last_, planted(Bug::kTrustFutureStamps) ? remote : std::min(remote, ceiling));
}

}  // namespace ebb
