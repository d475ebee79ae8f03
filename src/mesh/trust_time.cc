#include "mesh/trust_time.h"

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "core/limits.h"

namespace ebb::mesh {
namespace {

bool is_near(WallTime a, WallTime b) { return std::abs(a.ms - b.ms) <= limits::kTimeFloorMs; }

// The middle of those near to one of them, if they are more than half. `clocks` in order.
std::optional<WallTime> majority(const std::vector<WallTime>& clocks) {
  auto first = clocks.begin();
  auto end = clocks.begin();
  for (const WallTime clock : clocks) {
    while (clock.ms - first->ms > limits::kTimeFloorMs)
      ++first;
    while (end != clocks.end() && end->ms - clock.ms <= limits::kTimeFloorMs)
      ++end;
    const auto near = static_cast<std::size_t>(end - first);
    if (near >= limits::kTimeFloorPeers && near * 2 > clocks.size())
      return *(first + (end - first - 1) / 2);
  }
  return std::nullopt;
}

}  // namespace

TrustTime trust_time(const OwnClock& own, WallTime floor, std::vector<WallTime> peers,
                     const std::function<bool(WallTime)>& lasts) {
  const auto is_before = [floor](WallTime clock) { return clock < floor; };
  std::vector<WallTime> clocks = std::move(peers);
  clocks.erase(std::remove_if(clocks.begin(), clocks.end(), is_before), clocks.end());
  const WallTime alone = std::max(own.now, floor);
  if (clocks.empty()) return {alone, false};
  const bool own_counts = !own.is_doubted && !is_before(own.now);
  if (own_counts) clocks.push_back(own.now);
  std::sort(clocks.begin(), clocks.end());
  std::optional<WallTime> at = majority(clocks);
  if (at && own_counts && is_near(*at, own.now)) at = own.now;
  if (!at && own_counts && lasts(own.now)) at = own.now;
  if (!at) at = lasts(clocks.front()) ? clocks.front() : floor;
  return {*at, !is_near(*at, alone)};
}

}  // namespace ebb::mesh
