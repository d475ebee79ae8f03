// Goal: what an event and a link cost does not grow with the number of logs. Method: the same
// events and links through the same pair of nodes, beside few and beside many other logs; what is
// counted is the same in every run. How long it takes: tools/bench/beside_logs.cc.
#include <doctest/doctest.h>

#include "tests/codec/allocation_peak.h"
#include "tests/mesh/many_logs.h"

namespace ebb::tests {
namespace {

constexpr std::uint64_t kFew = 10;
constexpr std::uint64_t kMany = 10000;

// Of both nodes together.
struct Work {
  std::uint64_t looks = 0;  // at entries of the table of logs
  std::uint64_t allocations = 0;
  std::uint64_t peak_bytes = 0;
  std::uint64_t wire_bytes = 0;
};

template <class Task>
Work work_of(Rig& rig, Task task) {
  const auto looks = [&rig] {
    return rig.engine(0).logs_looked_at() + rig.engine(1).logs_looked_at();
  };
  const std::uint64_t looks_before = looks();
  const std::uint64_t wire_before = rig.all_wire_bytes();
  const AllocationPeak memory;
  task();
  return {looks() - looks_before, memory.count(), memory.bytes(),
          rig.all_wire_bytes() - wire_before};
}

void tell(std::string_view what, const Work& work) {
  MESSAGE(what << ": " << work.looks << " looks, " << work.allocations << " allocations, "
               << work.peak_bytes << " B at the peak, " << work.wire_bytes << " B sent");
}

TEST_CASE("an event costs as much work and memory beside 10,000 logs as beside 10") {
  const auto cost_beside = [](std::uint64_t logs) {
    SyncPair rig(logs);
    rig.start(1);
    rig.start(0);
    rig.run_for(seconds(1));
    append_events(rig, kEventsBeside);  // the first sight of a log costs more
    const Work work = work_of(rig, [&rig] { append_events(rig, kEventsBeside); });
    REQUIRE(rig.equal());
    return work;
  };
  const Work few = cost_beside(kFew);
  const Work many = cost_beside(kMany);
  tell("beside 10 logs", few);
  tell("beside 10,000 logs", many);
  CHECK(many.looks <= few.looks);
  CHECK(100 * many.allocations <= 101 * few.allocations);
  CHECK(10 * many.peak_bytes <= 11 * few.peak_bytes);
  CHECK(100 * many.wire_bytes <= 105 * few.wire_bytes);
}

TEST_CASE("links that come and go cost as much work beside 10,000 logs as beside 10") {
  const auto cost_of_links = [](std::uint64_t logs) {
    SyncPair rig(logs);
    rig.start(1);
    rig.start(0);
    rig.run_for(seconds(1));
    return work_of(rig, [&rig] { renew_link(rig, 20); });
  };
  const Work few = cost_of_links(kFew);
  const Work many = cost_of_links(kMany);
  tell("20 links beside 10 logs", few);
  tell("20 links beside 10,000 logs", many);
  CHECK(many.looks <= few.looks);
  CHECK(100 * many.allocations <= 101 * few.allocations);
  // Longer numbers in HELLO.
  CHECK(100 * many.wire_bytes <= 110 * few.wire_bytes);
}

}  // namespace
}  // namespace ebb::tests
