// The plan of a run's faults and of who knows whom: drawn before the run begins, so that what
// happens in it moves none of the draws.
//
// Threads: pure functions; any thread.
#pragma once

#include <span>
#include <vector>

#include "core/rng.h"
#include "core/time.h"
#include "sim/options.h"

namespace ebb::sim {

// How often a class is planned in a run as long as kSafetyPhase, and for how long each lasts.
struct PlanRow {
  Fault kind = Fault::kKill;
  std::uint64_t least = 1;
  std::uint64_t most = 1;
  std::uint64_t most_per_ten_nodes = 0;  // and so many more
  Duration longest;
};
std::span<const PlanRow> plan_rows();

struct PlannedFault {
  Instant at;
  Fault kind = Fault::kKill;
  Duration duration;
  HostIndex host = 0;            // of a host's fault, and the one that is isolated
  HostIndex other = 0;           // of a pair; never `host` where there are two hosts
  std::vector<bool> other_side;  // of a partition: one per host
  std::uint64_t amount = 0;      // any number; what it means is the class's
  bool operator==(const PlannedFault&) const = default;
};

// A run to the last detail: what a seed expands to, or what is left of that (sim/shrink.h).
struct Schedule {
  Options options;
  std::vector<PlannedFault> faults;
  bool operator==(const Schedule&) const = default;
};

// In order of time, all of them begun before the chaos is over.
std::vector<PlannedFault> plan_faults(const Options& options, Rng rng);

// Whose addresses each host is configured with, those behind NAT being nobody's. Connected when
// directions are ignored, also without whoever is not certified from the
// beginning, and but for who is found by beacons alone.
std::vector<std::vector<HostIndex>> plan_peers(const Options& options,
                                               const std::vector<bool>& behind_nat, Rng rng);

// Adds the places of strangers, which come behind the hosts, to what hosts are configured with.
void plan_strange_peers(const Options& options, std::vector<std::vector<HostIndex>>& peers,
                        Rng rng);

// Which hosts cannot be dialled. Never host 0.
std::vector<bool> plan_nat(const Options& options, Rng rng);

}  // namespace ebb::sim
