#include "sim/planted_runs.h"

#include "sim/scenarios.h"

namespace ebb::sim {
namespace {

constexpr std::size_t kNodes = 5;  // as few as have room for groups and detours

}  // namespace

std::string_view scenario_of(Bug bug) {
  if (bug == Bug::kIgnoreQuota) return "quota";
  // An old store that nobody has said is one: no fault of the seeds.
  const bool doubt =
      bug == Bug::kKeepDoubtedEpoch || bug == Bug::kLateEpoch || bug == Bug::kForgetDoubt;
  return doubt ? "set-back" : kDefaultScenario;
}

Outcome run_planted(std::uint64_t seed, Bug bug, const std::string& dir) {
  Options options = *expand_scenario(scenario_of(bug), seed, kNodes);
  options.bug = bug;
  return run_seed(options, dir);
}

Outcome run_without(std::uint64_t seed, Bug bug, const std::string& dir) {
  return run_seed(*expand_scenario(scenario_of(bug), seed, kNodes), dir);
}

std::set<std::string> caught_by(const Outcome& outcome) {
  std::set<std::string> caught;
  for (const auto& [checker, count] : outcome.findings.by_checker())
    caught.insert(checker);
  if (!outcome.converged) caught.insert(kLiveness);
  return caught;
}

}  // namespace ebb::sim
