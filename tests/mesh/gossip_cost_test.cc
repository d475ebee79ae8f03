// What gossip by datagram costs at rest, and what an event costs and takes by it. IP and UDP count
// 28 bytes a datagram.
#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "tests/mesh/many_logs.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

constexpr std::uint64_t kAroundDatagram = 28;

std::uint64_t datagram_bytes(Rig& rig, std::size_t i) {
  const mesh::Counters& counters = rig.engine(i).counters();
  return counters.datagram_bytes_in + counters.datagram_bytes_out +
         kAroundDatagram * (counters.datagrams_in + counters.datagrams_out);
}

// All nodes know each other.
void acquaint(Rig& rig) {
  for (std::size_t i = 0; i < rig.size(); ++i) {
    for (std::size_t other = 0; other < rig.size(); ++other) {
      if (other == i) continue;
      mesh::PeerSeen seen;
      seen.device = rig.store(other).device();
      seen.address = rig.address(other);
      seen.heard = {1};
      rig.node(i).seen.push_back(seen);
    }
  }
}

// Two halves of three nodes, linked among themselves, with keys of all. Nothing else can be dialled
// any more.
struct Halves : Rig {
  Halves() {
    for (std::uint8_t i = 0; i < 6; ++i)
      add_node(static_cast<std::uint8_t>(i + 1));
    acquaint(*this);
  }
  void start_all() {
    for (std::size_t i = 0; i < 6; ++i)
      start(i);
    run_for(seconds(60));
    parted = [](std::size_t a, std::size_t b) { return a % 2 != b % 2; };
    for (std::size_t i = 0; i < 6; ++i) {
      REQUIRE(engine(i).links().size() == 5);
      for (std::size_t other = i + 1; other < 6; other += 2)
        cut(i, other);
    }
    run_for(seconds(30));
    for (std::size_t i = 0; i < 6; ++i)
      REQUIRE(engine(i).links().size() == 2);
    dials = false;
    parted = nullptr;
  }
};

}  // namespace

TEST_CASE("datagrams of an idle node cost at most 30 bytes a second beside 10,000 devices") {
  Halves rig;
  for (std::size_t i = 0; i < 6; ++i) {
    for (std::uint64_t number = 0; number < 10000; ++number)
      rig.store(i).add_head(made_up_head(number));
  }
  rig.start_all();
  rig.run_for(seconds(600));
  std::vector<std::uint64_t> before;
  for (std::size_t i = 0; i < 6; ++i)
    before.push_back(datagram_bytes(rig, i));
  rig.run_for(seconds(3600));
  std::uint64_t most = 0;
  for (std::size_t i = 0; i < 6; ++i)
    most = std::max(most, datagram_bytes(rig, i) - before[i]);
  MESSAGE("idle: " << most / 360 << " B in 10 s, both ways");
  CHECK(most > 0);
  CHECK(most <= 30 * 3600);
}

TEST_CASE("an event reaches a node without any link within 2 s") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2);
  acquaint(rig);
  rig.latency = milliseconds(20);
  rig.start(0);
  rig.start(1);
  rig.run_for(seconds(10));
  REQUIRE(rig.streams_between(0, 1) == 1);
  rig.dials = false;
  rig.cut(0, 1);
  rig.run_for(seconds(10));
  std::vector<std::int64_t> took_ms;
  const std::uint64_t before = datagram_bytes(rig, 1);
  for (std::uint64_t i = 1; i <= 100; ++i) {
    rig.append(0, {"a", 1, 100});
    const Instant at = rig.now();
    while (rig.store(1).events() < i && rig.now() - at < seconds(10))
      rig.run_for(milliseconds(10));
    REQUIRE(rig.store(1).events() == i);
    took_ms.push_back((rig.now() - at).ms());
    rig.run_for(seconds(20));
  }
  std::sort(took_ms.begin(), took_ms.end());
  const std::uint64_t bytes = (datagram_bytes(rig, 1) - before) / 100;
  MESSAGE("without links: " << took_ms[50] << " ms in the middle, " << took_ms.back()
                            << " ms at most; " << bytes << " B each 20 s and event");
  CHECK(took_ms.back() <= 2000);
}

TEST_CASE("an event reaches the half of a mesh that no link leads to within a gossip round") {
  Halves rig;
  rig.start_all();
  // The first agreements, and partners.
  rig.run_for(seconds(300));
  std::vector<std::int64_t> took_ms;
  for (std::uint64_t i = 1; i <= 50; ++i) {
    rig.append(0, {"a", 1, 100});
    const Instant at = rig.now();
    while (rig.store(1).events() < i && rig.now() - at < seconds(600))
      rig.run_for(milliseconds(100));
    REQUIRE(rig.store(1).events() == i);
    took_ms.push_back((rig.now() - at).ms());
    rig.run_for(seconds(120));
  }
  std::sort(took_ms.begin(), took_ms.end());
  MESSAGE("between halves: " << took_ms[25] << " ms in the middle, " << took_ms.back()
                             << " ms at most");
  CHECK(took_ms.back() <= 60000);
}

}  // namespace ebb::tests
