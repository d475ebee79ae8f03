#include "sim/planted_runs.h"

#include "sim/scenarios.h"

namespace ebb::sim {
namespace {

constexpr std::size_t kNodes = 5;  // as few as have room for groups and detours

}  // namespace

Outcome run_planted(std::uint64_t seed, Bug bug, const std::string& dir) {
  Options options = expand_seed(seed, kNodes);
  // An old store that nobody has said is one: no fault of the seeds.
  if (bug == Bug::kKeepDoubtedEpoch) {
    options = *expand_scenario("set-back", seed, kNodes);
  }
  options.bug = bug;
  return run_seed(options, dir);
}

std::set<std::string> caught_by(const Outcome& outcome) {
  std::set<std::string> caught;
  for (const auto& [checker, count] : outcome.findings.by_checker())
    caught.insert(checker);
  if (!outcome.converged) caught.insert(kLiveness);
  return caught;
}

}  // namespace ebb::sim
