// How runs with a planted bug are made, for the tests that look for them: the same as
// `ebb-sim --scenario SCENARIO --seed N --nodes 5 --bug NAME`.
//
// Threads: pure functions; any thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "sim/cluster.h"

namespace ebb::sim {

// Of sim/scenarios.h, in which the bug can show.
std::string_view scenario_of(Bug bug);
// `dir` exists and is empty.
Outcome run_planted(std::uint64_t seed, Bug bug, const std::string& dir);
// The same run as it is without the bug.
Outcome run_without(std::uint64_t seed, Bug bug, const std::string& dir);
// Whoever found something.
std::set<std::string> caught_by(const Outcome& outcome);

}  // namespace ebb::sim
