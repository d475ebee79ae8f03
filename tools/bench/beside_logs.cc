// bench_beside_logs: the processor time and memory of an event, and the time of a link, between two
// engines beside 10 to 10,000 logs that nothing happens to: a JSON array, a row for each number of
// logs. What the same work is in looks, allocations and bytes is asserted by
// tests/mesh/scale_test.cc.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <ctime>

#include "tests/codec/allocation_peak.h"
#include "tests/mesh/many_logs.h"

namespace {

using ebb::tests::SyncPair;

constexpr int kRounds = 5;
constexpr int kLinks = 20;

double cpu_us() { return 1e6 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// Of one of `count` in a round of `task`; of a shared machine's noise the least is left by the best
// of a few rounds.
template <class Task>
double best_of(int count, Task task) {
  double best = 0;
  for (int round = 0; round < kRounds; ++round) {
    const double before = cpu_us();
    task();
    const double spent = (cpu_us() - before) / count;
    best = round == 0 ? spent : std::min(best, spent);
  }
  return best;
}

struct Cost {
  double event_us = 0;
  double event_bytes = 0;  // of both engines at the peak, with what is on its way
  double link_us = 0;
};

Cost beside(std::uint64_t logs) {
  SyncPair rig(logs);
  rig.start(1);
  rig.start(0);
  rig.run_for(ebb::seconds(1));
  ebb::tests::append_events(rig, ebb::tests::kEventsBeside);
  Cost cost;
  {
    const ebb::tests::AllocationPeak memory;
    ebb::tests::append_events(rig, ebb::tests::kEventsBeside);
    cost.event_bytes = static_cast<double>(memory.bytes()) / ebb::tests::kEventsBeside;
  }
  cost.event_us = best_of(ebb::tests::kEventsBeside,
                          [&rig] { ebb::tests::append_events(rig, ebb::tests::kEventsBeside); });
  cost.link_us = best_of(kLinks, [&rig] { ebb::tests::renew_link(rig, kLinks); });
  return cost;
}

}  // namespace

int main() {
  const char* before = "[";
  for (const std::uint64_t logs : {10u, 30u, 100u, 300u, 1000u, 3000u, 10000u}) {
    const Cost cost = beside(logs);
    std::printf("%s{\"logs\":%u,\"event_us\":%.2f,\"event_bytes\":%.0f,\"link_us\":%.2f}", before,
                static_cast<unsigned>(logs), cost.event_us, cost.event_bytes, cost.link_us);
    before = ",\n";
  }
  std::puts("]");
  return 0;
}
