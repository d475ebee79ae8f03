// Scenarios: named settings of a run, so that a name and a seed say all of it.
//
// Model:   a scenario is a pure function of seed, nodes and duration, like expand_seed(), of which
//          it changes some results. `faults` is expand_seed() itself.
// Threads: pure functions; any thread.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sim/options.h"

namespace ebb::sim {

inline constexpr std::string_view kDefaultScenario = "faults";

struct Scenario {
  std::string_view name;
  std::string_view does;  // one line
  Options (*expand)(std::uint64_t seed, std::size_t nodes, Duration chaos) = nullptr;
};

std::span<const Scenario> scenarios();
// nullptr: there is none of this name.
const Scenario* find_scenario(std::string_view name);
// What the scenario makes of the seed; nullopt: no such scenario.
std::optional<Options> expand_scenario(std::string_view name, std::uint64_t seed, std::size_t nodes,
                                       Duration chaos = kSafetyPhase);

// The command that runs exactly these options again; empty when no scenario expands to them.
std::string replay_line(const Options& options);

}  // namespace ebb::sim
