// A schedule that fails whatever happens in it: its hosts have no time to agree.
//
// Threads: pure functions; any thread.
#pragma once

#include "sim/cluster.h"
#include "sim/scenarios.h"

namespace ebb::tests {

inline sim::Schedule bad_schedule() {
  sim::Options options = *sim::expand_scenario("faults", 1, 5, seconds(40));
  options.real = false;
  options.rounds_max = 0;
  return schedule_of(options);
}

}  // namespace ebb::tests
