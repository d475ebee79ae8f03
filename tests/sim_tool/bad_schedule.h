// A schedule that fails, because host 0 tells clients before it commits and is killed often.
//
// Threads: call on the thread of the test.
#pragma once

#include <doctest/doctest.h>

#include "sim/cluster.h"
#include "sim/scenarios.h"
#include "sim/verdict.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"

namespace ebb::tests {

// Of the first seeds the first one that does; what is found is of the checker of durability.
inline sim::Schedule bad_schedule() {
  REQUIRE(trust::crypto_ready().ok());
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    sim::Options options = *sim::expand_scenario("faults", seed, 5, seconds(60));
    options.real = false;
    options.bug = sim::PlantedBug::kAcknowledgesTooEarly;
    options.append_batches = 150;
    options.plan(sim::Fault::kKill, 20);
    const sim::Schedule schedule = schedule_of(options);
    const TempDir dir;
    if (failure_kind(run_schedule(schedule, dir.path().string())) == "durability") return schedule;
  }
  FAIL("no seed finds the planted bug");
  return {};
}

}  // namespace ebb::tests
