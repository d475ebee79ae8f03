#include "sim/fault_plan.h"

#include <algorithm>

namespace ebb::sim {
namespace {

std::vector<Fault> enabled_among(const Options& options, const std::vector<Fault>& kinds) {
  std::vector<Fault> enabled;
  for (const Fault kind : kinds) {
    if (options.has(kind)) enabled.push_back(kind);
  }
  return enabled;
}

HostIndex draw_host(Rng& rng, const Options& options) {
  return static_cast<HostIndex>(rng.below(options.nodes));
}

Duration draw_ms(Rng& rng, std::uint64_t low, std::uint64_t high) {
  return milliseconds(static_cast<std::int64_t>(rng.between(low, high)));
}

class Planner {
 public:
  Planner(const Options& options, Rng rng) : options_(options), rng_(rng) {}

  void add(const std::vector<Fault>& kinds, std::size_t count, Duration longest) {
    const std::vector<Fault> enabled = enabled_among(options_, kinds);
    if (enabled.empty()) return;
    for (std::size_t i = 0; i < count; ++i) {
      PlannedFault fault;
      fault.kind = enabled[rng_.below(enabled.size())];
      fault.at = Instant{} + draw_ms(rng_, 0, static_cast<std::uint64_t>(options_.chaos.ms()));
      fault.duration = draw_ms(rng_, 10, static_cast<std::uint64_t>(longest.ms()));
      fault.host = draw_host(rng_, options_);
      for (std::size_t host = 0; host < options_.nodes; ++host) {
        fault.other_side.push_back(rng_.chance(1, 2));
      }
      if (fault.kind == Fault::kIsolation) {
        fault.other_side.assign(options_.nodes, false);
        fault.other_side[fault.host] = true;
      }
      plan_.push_back(std::move(fault));
    }
  }

  std::vector<PlannedFault> finish() {
    std::stable_sort(plan_.begin(), plan_.end(),
                     [](const PlannedFault& a, const PlannedFault& b) { return a.at < b.at; });
    return std::move(plan_);
  }

 private:
  const Options& options_;
  Rng rng_;
  std::vector<PlannedFault> plan_;
};

}  // namespace

std::vector<PlannedFault> plan_faults(const Options& options, Rng rng) {
  Planner planner(options, rng);
  planner.add({Fault::kCleanStop, Fault::kKill, Fault::kPowerLoss}, options.host_faults,
              seconds(20));
  planner.add({Fault::kPartition, Fault::kPartitionOneWay, Fault::kIsolation}, options.partitions,
              seconds(30));
  planner.add({Fault::kDiskFull}, options.disk_full_windows, seconds(20));
  planner.add({Fault::kLateStart}, options.late_starts, options.chaos);
  return planner.finish();
}

std::vector<std::vector<HostIndex>> plan_peers(const Options& options, Rng rng) {
  std::vector<std::vector<HostIndex>> peers(options.nodes);
  const auto connect = [&](HostIndex a, HostIndex b) {
    if (rng.chance(1, 2)) std::swap(a, b);
    std::vector<HostIndex>& known = peers[a];
    if (a != b && std::find(known.begin(), known.end(), b) == known.end()) known.push_back(b);
  };
  for (HostIndex host = 1; host < options.nodes; ++host) {
    connect(host, static_cast<HostIndex>(rng.below(host)));
  }
  for (std::size_t i = 0; i < options.extra_peers; ++i) {
    // Two statements: compilers differ in the order in which they evaluate arguments.
    const HostIndex one = draw_host(rng, options);
    connect(one, draw_host(rng, options));
  }
  return peers;
}

}  // namespace ebb::sim
