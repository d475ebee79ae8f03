// Verdict: in which way a run failed, so that two failures can be told apart or found to be one.
//
// Threads: pure functions; any thread.
#pragma once

#include <string>

#include "sim/cluster.h"

namespace ebb::sim {

// Empty when the run was good; else the checker that spoke first, or "convergence".
std::string failure_kind(const Outcome& outcome);

}  // namespace ebb::sim
