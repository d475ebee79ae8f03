#include "sim/stamp_checker.h"

#include <algorithm>
#include <string>

#include "core/limits.h"

namespace ebb::sim {
namespace {

constexpr std::int64_t kRoundingMs = 1000;  // of readings, and of a pace in between

}  // namespace

void StampChecker::read(Instant now, HostIndex host, WallTime wall) {
  const std::int64_t ahead = wall.ms - now.us / 1000;
  const auto [known, is_new] = ahead_ms_.try_emplace(host, ahead);
  if (!is_new) known->second = std::max(known->second, ahead);
}

void StampChecker::committed(Instant now, HostIndex host, const store::CommitResult& result) {
  const auto known = ahead_ms_.find(host);
  for (const store::HeadAdvance& advance : result.advances) {
    if (!advance.own_append || known == ahead_ms_.end()) continue;
    const std::int64_t ahead = advance.head.hlc.wall().ms - now.us / 1000;
    const std::int64_t beyond = ahead - known->second - limits::kRemoteAheadMs - kRoundingMs;
    if (beyond <= 0) continue;
    findings_.add("stamp", host,
                  "stamped " + dot_text({advance.head.log, advance.head.held.seq}) + " " +
                      std::to_string(beyond) + " ms later than any clock allows");
  }
}

}  // namespace ebb::sim
