// Budgets and quiet hours of a class of links hold for datagrams, too.
#include <doctest/doctest.h>

#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

// Two nodes that have keys, and cannot be dialled any more; to node 0 the other one is of a class.
struct MeteredGossip : Rig {
  explicit MeteredGossip(const mesh::LinkClass& settings) {
    add_node(1);
    add_node(2);
    for (std::size_t i = 0; i < 2; ++i) {
      mesh::PeerSeen seen;
      seen.device = store(1 - i).device();
      seen.address = address(1 - i);
      seen.heard = {1};
      node(i).seen = {seen};
    }
    node(0).config.link_classes = {settings};
    node(0).config.link_classes[0].addresses = {"node1:*"};
  }
  void begin(std::int32_t minute) {
    start(0);
    input(0, mesh::LocalTime{100, 0});
    start(1);
    run_for(seconds(5));
    REQUIRE(streams_between(0, 1) == 1);
    dials = false;
    cut(0, 1);
    run_for(milliseconds(10));
    by_links = spent();
    input(0, mesh::LocalTime{100, minute});
    append(0, {"a", 1});
  }
  std::uint64_t by_links = 0;
  std::uint64_t spent() { return engine(0).budgets()[0].spent_today; }
};

}  // namespace

TEST_CASE("in quiet hours nothing goes by datagram, in answer either, and afterwards it does") {
  MeteredGossip rig({"metered", {}, 0, mesh::QuietHours{7 * 60, 22 * 60}});
  rig.begin(8 * 60);
  rig.run_for(seconds(600));
  const mesh::Counters& counters = rig.engine(0).counters();
  CHECK(counters.datagrams_out == 0);
  CHECK(counters.datagrams_dropped.at("held_back") > 100);
  CHECK(!counters.gossip.contains("silent"));
  CHECK(rig.store(1).events() == 0);
  rig.input(0, mesh::LocalTime{100, 22 * 60});
  rig.run_for(seconds(10));
  CHECK(rig.store(1).events() == 1);
  CHECK(counters.datagrams_out > 0);
}

TEST_CASE("datagrams count among a day's bytes, both ways, and stop with catch-up") {
  constexpr std::uint64_t kDaily = 40000;
  MeteredGossip rig({"metered", {}, kDaily, std::nullopt});
  rig.begin(600);
  rig.run_for(seconds(10));
  const mesh::Counters& counters = rig.engine(0).counters();
  CHECK(rig.store(1).events() == 1);
  CHECK(rig.spent() > 0);
  CHECK(rig.spent() - rig.by_links == counters.datagram_bytes_in + counters.datagram_bytes_out);
  rig.run_for(seconds(600));
  CHECK(rig.spent() >= kDaily - kDaily / 4);
  const std::uint64_t sent = counters.datagram_bytes_out;
  rig.run_for(seconds(600));
  CHECK(counters.datagram_bytes_out == sent);
  rig.input(0, mesh::LocalTime{101, 0});
  rig.run_for(seconds(10));
  CHECK(counters.datagram_bytes_out > sent);
}

}  // namespace ebb::tests
