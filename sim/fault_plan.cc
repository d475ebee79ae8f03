#include "sim/fault_plan.h"

#include <algorithm>
#include <array>

namespace ebb::sim {
namespace {

constexpr std::array kRows = {
    PlanRow{Fault::kPartition, 1, 6, 0, seconds(60)},
    PlanRow{Fault::kPartitionSized, 1, 6, 0, seconds(60)},
    PlanRow{Fault::kPartitionOneWay, 1, 6, 0, seconds(60)},
    PlanRow{Fault::kIsolation, 1, 4, 4, seconds(90)},
    PlanRow{Fault::kIsolationOneWay, 1, 4, 4, seconds(90)},
    PlanRow{Fault::kClog, 10, 40, 40, seconds(5)},
    PlanRow{Fault::kNarrowPath, 2, 6, 6, seconds(120)},
    PlanRow{Fault::kBlackHole, 1, 4, 4, seconds(90)},
    PlanRow{Fault::kHalfOpen, 4, 16, 10, {}},
    PlanRow{Fault::kSlowReader, 1, 4, 2, seconds(120)},
    PlanRow{Fault::kAddressChange, 1, 3, 2, seconds(20)},
    PlanRow{Fault::kBehindNat, 1, 1, 3, {}},
    PlanRow{Fault::kHealStorm, 1, 3, 0, seconds(90)},
    PlanRow{Fault::kCleanStop, 1, 4, 6, seconds(60)},
    PlanRow{Fault::kKill, 2, 6, 8, seconds(60)},
    PlanRow{Fault::kPowerLoss, 2, 6, 8, seconds(60)},
    PlanRow{Fault::kPause, 2, 6, 8, seconds(60)},
    PlanRow{Fault::kSleep, 1, 1, 2, seconds(400)},
    PlanRow{Fault::kRestore, 1, 2, 1, seconds(300)},
    PlanRow{Fault::kDiskLost, 1, 2, 1, seconds(60)},
    PlanRow{Fault::kLateStart, 1, 1, 2, {}},
    PlanRow{Fault::kClockStep, 2, 6, 6, {}},
    PlanRow{Fault::kClockWalk, 2, 6, 20, {}},
    PlanRow{Fault::kClockAtBoot, 1, 2, 2, seconds(300)},
    PlanRow{Fault::kNoDescriptors, 1, 4, 2, seconds(90)},
    PlanRow{Fault::kCommitsFail, 1, 4, 4, seconds(30)},
    PlanRow{Fault::kDiskStall, 1, 4, 4, seconds(30)},
    PlanRow{Fault::kDiskFull, 1, 4, 4, seconds(60)},
};

HostIndex draw_host(Rng& rng, const Options& options) {
  return static_cast<HostIndex>(rng.below(options.nodes));
}

Duration draw_ms(Rng& rng, std::uint64_t low, std::uint64_t high) {
  return milliseconds(static_cast<std::int64_t>(rng.between(low, std::max(low, high))));
}

// One bool a host: a coin for each, or a group whose size was drawn first.
std::vector<bool> draw_side(Rng& rng, const Options& options, bool sized) {
  std::vector<bool> side(options.nodes, false);
  if (!sized) {
    for (std::size_t host = 0; host < options.nodes; ++host)
      side[host] = rng.chance(1, 2);
    return side;
  }
  const std::uint64_t size = rng.between(1, std::max<std::uint64_t>(options.nodes / 2, 1));
  for (std::uint64_t i = 0; i < size; ++i)
    side[draw_host(rng, options)] = true;
  return side;
}

PlannedFault draw(Rng& rng, const Options& options, const PlanRow& row) {
  PlannedFault fault;
  fault.kind = row.kind;
  fault.at = Instant{} + draw_ms(rng, 0, static_cast<std::uint64_t>(options.chaos.ms()));
  fault.duration = draw_ms(rng, 10, static_cast<std::uint64_t>(row.longest.ms()));
  fault.host = draw_host(rng, options);
  fault.other = draw_host(rng, options);
  if (fault.other == fault.host) {
    fault.other = static_cast<HostIndex>((fault.host + 1) % options.nodes);
  }
  fault.other_side = draw_side(rng, options, row.kind == Fault::kPartitionSized);
  fault.amount = rng.next();
  return fault;
}

}  // namespace

std::span<const PlanRow> plan_rows() { return kRows; }

std::vector<PlannedFault> plan_faults(const Options& options, Rng rng) {
  std::vector<PlannedFault> plan;
  for (const PlanRow& row : kRows) {
    // Each class draws from its own generator: one that is left out moves no other.
    Rng own = rng.fork();
    if (row.kind == Fault::kBehindNat) continue;  // plan_nat's
    for (std::uint64_t i = 0; i < options.planned_of(row.kind); ++i)
      plan.push_back(draw(own, options, row));
  }
  std::stable_sort(plan.begin(), plan.end(),
                   [](const PlannedFault& a, const PlannedFault& b) { return a.at < b.at; });
  return plan;
}

std::vector<bool> plan_nat(const Options& options, Rng rng) {
  std::vector<bool> behind(options.nodes, false);
  if (options.nodes == 1) return behind;
  for (std::uint64_t i = 0; i < options.planned_of(Fault::kBehindNat); ++i)
    behind[1 + rng.below(options.nodes - 1)] = true;
  return behind;
}

void plan_strange_peers(const Options& options, std::vector<std::vector<HostIndex>>& peers,
                        Rng rng) {
  for (std::size_t i = 0; i < options.strangers; ++i) {
    const auto stranger = static_cast<HostIndex>(options.nodes + i);
    const HostIndex one = draw_host(rng, options);  // at least
    for (HostIndex host = 0; host < options.nodes; ++host) {
      if (rng.chance(1, 4) || host == one) peers[host].push_back(stranger);
    }
  }
}

std::vector<std::vector<HostIndex>> plan_peers(const Options& options,
                                               const std::vector<bool>& behind_nat, Rng rng) {
  std::vector<std::vector<HostIndex>> peers(options.nodes);
  const auto connect = [&](HostIndex a, HostIndex b) {
    if (rng.chance(1, 2)) std::swap(a, b);
    if (behind_nat[b]) std::swap(a, b);
    if (a == b || behind_nat[b] || a == options.lone || b == options.lone) return;
    std::vector<HostIndex>& known = peers[a];
    if (std::find(known.begin(), known.end(), b) == known.end()) known.push_back(b);
  };
  for (HostIndex host = 1; host < options.nodes; ++host) {
    auto earlier = static_cast<HostIndex>(rng.below(host));
    // The tree's inner hosts can be dialled, and let others in; host 0 can, and does.
    while (behind_nat[earlier] || earlier == options.outsider || earlier == options.late ||
           earlier == options.lone || earlier == options.blind)
      --earlier;
    connect(host, earlier);
  }
  for (std::size_t i = 0; i < options.extra_peers; ++i) {
    // Two statements: compilers differ in the order in which they evaluate arguments.
    const HostIndex one = draw_host(rng, options);
    connect(one, draw_host(rng, options));
  }
  return peers;
}

}  // namespace ebb::sim
