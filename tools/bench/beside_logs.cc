// bench_beside_logs: the processor time of an event and of a link between two engines, beside few
// and beside many logs that nothing happens to. What the same work is in looks, allocations and
// bytes is asserted by tests/mesh/scale_test.cc.
#include <algorithm>
#include <cstdio>
#include <ctime>

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
  double link_us = 0;
};

Cost beside(std::uint64_t logs) {
  SyncPair rig(logs);
  rig.start(1);
  rig.start(0);
  rig.run_for(ebb::seconds(1));
  ebb::tests::append_events(rig, ebb::tests::kEventsBeside);
  Cost cost;
  cost.event_us = best_of(ebb::tests::kEventsBeside,
                          [&rig] { ebb::tests::append_events(rig, ebb::tests::kEventsBeside); });
  cost.link_us = best_of(kLinks, [&rig] { ebb::tests::renew_link(rig, kLinks); });
  return cost;
}

}  // namespace

int main() {
  const Cost few = beside(10);
  const Cost many = beside(10000);
  std::printf("{\"event_us\":%.2f,\"event_us_few\":%.2f,\"link_us\":%.2f,\"link_us_few\":%.2f}\n",
              many.event_us, few.event_us, many.link_us, few.link_us);
  return 0;
}
