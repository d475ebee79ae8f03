// How runs with a planted bug are made, for the tests that look for them: the same as
// `ebb-sim --seed N --nodes 5 --bug NAME`, for a bug that needs it with a `--scenario`.
//
// Threads: pure functions; any thread.
#pragma once

#include <cstdint>
#include <set>
#include <string>

#include "sim/cluster.h"

namespace ebb::sim {

// The name under which a run counts as caught that did not agree in time.
inline constexpr const char* kLiveness = "liveness";

// `dir` exists and is empty.
Outcome run_planted(std::uint64_t seed, Bug bug, const std::string& dir);
// Whoever found something.
std::set<std::string> caught_by(const Outcome& outcome);

}  // namespace ebb::sim
