#include <doctest/doctest.h>

#include <algorithm>

#include "core/limits.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

constexpr std::uint64_t kSlow = 32000;  // 256 kbit/s
constexpr Duration kChunkTime = milliseconds(50);

// Two nodes with a slow link from 0 to 1, over which 1 catches up.
struct SlowPair : Rig {
  explicit SlowPair(std::size_t backlog_bytes) {
    latency = milliseconds(20);
    rate = [](std::size_t from, std::size_t) { return from == 0 ? kSlow : 0; };
    add_node(1);
    add_node(2, {0});
    for (std::size_t bytes = 0; bytes < backlog_bytes;)
      bytes += store(0).append({"old", 20, 3000}).own_segments[0].encoded->size();
    start(0);
    start(1);
  }
  // How long a new event of node 0 takes to arrive.
  Duration time_of_event(const std::string& topic) {
    const LogId log = store(0).own_log(topic);
    const Instant begun = now();
    const std::size_t before = store(1).segments(log).size();
    append(0, {topic, 1, 200});
    while (store(1).segments(log).size() == before && now() - begun < seconds(60))
      run_for(milliseconds(1));
    return now() - begun;
  }
};

TEST_CASE("a live event behind 2 MiB of catch-up at 256 kbit/s waits for two chunks at most") {
  SlowPair rig(std::size_t{2} << 20);
  static_cast<void>(rig.time_of_event("new"));
  rig.run_for(seconds(5));
  Duration worst;
  for (int i = 0; i < 40; ++i) {
    worst = std::max(worst, rig.time_of_event("new"));
    rig.run_for(milliseconds(137));
  }
  REQUIRE(rig.store(1).events() < rig.store(0).events());
  MESSAGE("worst of 40: " << worst.ms() << " ms, of which 20 ms are the way");
  // Its own bytes take 13 ms; all else is waiting.
  CHECK(worst <= rig.latency + milliseconds(13) + kChunkTime * 2);
  CHECK(rig.node(0).faults.empty());
  CHECK(rig.node(1).faults.empty());
}

TEST_CASE("the catch-up fills what the live events leave") {
  SlowPair rig(std::size_t{1} << 20);
  const Instant begun = rig.now();
  while (rig.store(1).events() < rig.store(0).events() && rig.now() - begun < seconds(120)) {
    rig.append(0, {"new", 1, 200});
    rig.run_for(milliseconds(500));
  }
  const Duration taken = rig.now() - begun;
  REQUIRE(rig.engine(0).root() == rig.engine(1).root());
  const std::uint64_t sent = rig.wire_bytes(0, 1);
  const std::uint64_t possible = kSlow * static_cast<std::uint64_t>(taken.ms()) / 1000;
  MESSAGE("used " << sent * 100 / possible << " % of the link");
  CHECK(sent > possible * 9 / 10);
  // Nothing is sent twice.
  CHECK(rig.engine(1).counters().events_redundant == 0);
}

TEST_CASE("a fast link is filled by a catch-up, whatever its round trip") {
  Rig rig;
  rig.latency = milliseconds(100);
  rig.rate = [](std::size_t, std::size_t) { return 1000000; };
  rig.add_node(1);
  rig.add_node(2, {0});
  for (int i = 0; i < 150; ++i)
    static_cast<void>(rig.store(0).append({"old", 20, 3000}));
  rig.start(0);
  rig.start(1);
  Duration taken;
  while (rig.store(1).events() < rig.store(0).events() && taken < seconds(60)) {
    rig.run_for(milliseconds(100));
    taken = taken + milliseconds(100);
  }
  MESSAGE("9 MB at 1 MB/s and 200 ms in " << taken.ms() << " ms");
  CHECK(taken < seconds(18));
}

TEST_CASE("several logs at once: each WANT ends with one last answer, behind all the others") {
  SlowPair rig(0);
  for (int log = 0; log < 6; ++log) {
    for (int i = 0; i < 5; ++i)
      rig.append(0, {"many-" + std::to_string(log), 10, 1500});
  }
  rig.run_for(seconds(60));
  CHECK(rig.engine(0).root() == rig.engine(1).root());
  CHECK(rig.engine(1).counters().events_redundant == 0);
  CHECK(rig.node(1).faults.empty());
  CHECK(rig.engine(1).links()[0].state == "in_sync");
}

}  // namespace
}  // namespace ebb::tests
