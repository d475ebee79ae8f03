// The plan of a run's faults and of who knows whom: drawn before the run begins, so that what
// happens in it moves none of the draws.
//
// Threads: pure functions; any thread.
#pragma once

#include <vector>

#include "core/rng.h"
#include "core/time.h"
#include "sim/options.h"

namespace ebb::sim {

struct PlannedFault {
  Instant at;
  Fault kind = Fault::kKill;
  Duration duration;
  HostIndex host = 0;            // of a host's fault, and the one that is isolated
  std::vector<bool> other_side;  // of a partition: one per host
};

// In order of time, all of them over before the chaos is, but for how long a stopped host stays
// down.
std::vector<PlannedFault> plan_faults(const Options& options, Rng rng);

// Whose addresses each host is configured with. Connected when directions are ignored.
std::vector<std::vector<HostIndex>> plan_peers(const Options& options, Rng rng);

}  // namespace ebb::sim
