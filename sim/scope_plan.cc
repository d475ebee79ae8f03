#include "sim/scope_plan.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "core/check.h"

namespace ebb::sim {
namespace {

// The workload's, and one that nobody writes to.
constexpr std::array<const char*, 4> kTopics = {"events", "sensors", "till-1", "unused"};

}  // namespace

ScopePlan::ScopePlan(const Options& options, const std::vector<bool>& behind_nat, Rng rng)
    : move_(options.scopes_move), rng_(rng) {
  std::vector<HostIndex> candidates;
  std::size_t dialled = 0;
  for (HostIndex host = 0; host < options.nodes; ++host) {
    const bool stays_full =
        host < 2 || host == options.liar_host() || (!behind_nat[host] && dialled < 2);
    dialled += behind_nat[host] ? 0U : 1U;
    if (!stays_full) candidates.push_back(host);
  }
  for (std::size_t i = 0; i < options.partial && !candidates.empty(); ++i) {
    const std::size_t at = rng_.below(candidates.size());
    levels_[candidates[at]] = {rng_.below(kLevels), false, rng_.next()};
    candidates.erase(candidates.begin() + static_cast<std::ptrdiff_t>(at));
  }
}

Scope ScopePlan::next(HostIndex host) {
  const auto found = levels_.find(host);
  if (found == levels_.end()) return {};
  Partial& partial = found->second;
  if (std::exchange(partial.started, true) && move_ && rng_.chance(1, 3)) {
    partial.level = std::min(partial.level + 1, kLevels);
  }
  return at(host, partial.level);
}

Scope ScopePlan::at(HostIndex host, std::uint64_t level) const {
  const std::uint64_t draws = levels_.at(host).draws;
  if (level == kLevels) return {};
  if (level == 0) return {ScopeKind::kLeaf, {}, {}};
  Scope scope{ScopeKind::kPartial, {}, {}};
  // 0: topics, 1: devices, 2: both.
  const std::uint64_t kind = draws % 3;
  if (kind != 1) {
    for (std::uint64_t i = 0; i < level; ++i)
      scope.topics.insert(kTopics[(draws / 3 + i) % kTopics.size()]);
  }
  if (kind != 0) {
    EBB_CHECK(!devices_.empty());
    for (std::uint64_t i = 0; i < level * 3; ++i)
      scope.devices.insert(devices_[(draws / 12 + i) % devices_.size()]);
  }
  return scope;
}

}  // namespace ebb::sim
