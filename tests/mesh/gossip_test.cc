// Gossip by datagram: differences settled without a link, and when one is made.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "core/limits.h"
#include "tests/mesh/many_logs.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

// Two nodes that know each other and cannot be dialled any more.
struct Unlinked : Rig {
  Unlinked() {
    add_node(1);
    add_node(2);
    dials = false;
    for (std::size_t i = 0; i < 2; ++i) {
      mesh::PeerSeen seen;
      seen.device = store(1 - i).device();
      seen.address = address(1 - i);
      seen.heard = {1};
      node(i).seen = {seen};
    }
  }
  // They have keys, and then no link any more.
  void start_both() {
    dials = true;
    start(0);
    start(1);
    run_for(seconds(5));
    REQUIRE(streams_between(0, 1) == 1);
    dials = false;
    cut(0, 1);
    run_for(milliseconds(10));
  }
  bool agree() { return engine(0).root() == engine(1).root(); }
};

TEST_CASE("a node that seldom wakes delivers and is brought up to date by datagrams alone") {
  Unlinked rig;
  rig.start_both();
  rig.datagrams = false;
  for (int i = 0; i < 5; ++i)
    rig.append(1, {"b", 2});
  rig.run_for(seconds(3600));
  rig.append(0, {"a", 3});
  rig.datagrams = true;
  rig.run_for(seconds(4));
  CHECK(rig.store(1).events() == 13);
  CHECK(rig.store(0).events() == 13);
  CHECK(rig.agree());
  CHECK(rig.streams_between(0, 1) == 0);
}

TEST_CASE("after a first agreement only what changed is told") {
  Unlinked rig;
  rig.start_both();
  for (int i = 0; i < 40; ++i)
    rig.append(0, {"t" + std::to_string(i % 20), 1});
  rig.run_for(seconds(20));
  REQUIRE(rig.agree());
  std::size_t listed = 0;
  rig.on_datagram = [&listed](std::size_t, const std::string&, const Bytes& bytes) {
    if (bytes[0] == 2) listed += (bytes.size() - 32) / 30;  // a head is that large at the least
    return true;
  };
  rig.append(0, {"t3", 1});
  rig.run_for(seconds(5));
  CHECK(rig.agree());
  CHECK(listed >= 1);
  CHECK(listed <= 4);
}

TEST_CASE("of many logs the newest are told first, and what changed among them is settled") {
  Unlinked rig;
  FakeStore author(9);
  for (int i = 0; i < 1000; ++i) {
    const auto segment = author.append({"t" + std::to_string(i), 1}).own_segments.at(0);
    store_segment(rig.store(0), segment);
    store_segment(rig.store(1), segment);
  }
  rig.start_both();
  rig.append(1, {"t7", 1});
  rig.run_for(seconds(20));
  CHECK(rig.agree());
  CHECK(rig.store(0).events() == 1001);
}

TEST_CASE("a quarter of the datagrams may be lost: it settles all the same") {
  Unlinked rig;
  Rng loss(7);
  rig.on_datagram = [&loss](std::size_t, const std::string&, const Bytes&) {
    return !loss.chance(1, 4);
  };
  rig.start_both();
  for (int i = 0; i < 10; ++i)
    rig.append(0, {"a", 2, 200});
  rig.run_for(seconds(120));
  CHECK(rig.agree());
  CHECK(rig.store(1).events() == 20);
}

TEST_CASE("a path whose round trip takes longer than a node waits at first is learnt") {
  Unlinked rig;
  Duration latency;
  SUBCASE("three seconds") { latency = milliseconds(1500); }
  SUBCASE("ten seconds") { latency = seconds(5); }
  rig.start_both();
  rig.latency = latency;
  for (int i = 0; i < 5; ++i)
    rig.append(0, {"a", 2});
  rig.run_for(seconds(180));
  CHECK(rig.agree());
  const auto& outcomes = rig.engine(0).counters().gossip;
  const std::uint64_t before = outcomes.contains("silent") ? outcomes.at("silent") : 0;
  CHECK(before <= 4);
  rig.run_for(seconds(400));
  CHECK(outcomes.at("agreed") > 10);
  CHECK((outcomes.contains("silent") ? outcomes.at("silent") : 0) == before);
}

TEST_CASE("a device that answers no datagram is dialled, and no more often than by back-off") {
  Unlinked rig;
  rig.start_both();
  rig.stop(1);
  rig.run_for(seconds(4 * 3600));
  CHECK(rig.engine(0).counters().gossip.at("silent") > 1000);
  CHECK(rig.node(0).dial_times.size() > 30);
  CHECK(rig.node(0).dial_times.size() < 200);
}

TEST_CASE("what datagrams brought is let go when its commit fails, and comes again") {
  Unlinked rig;
  rig.start_both();
  for (int i = 0; i < 5; ++i)
    rig.append(1, {"b", 2});
  rig.store(0).failing = true;
  rig.run_for(seconds(60));
  const auto& counters = rig.engine(0).counters();
  CHECK(counters.datagram_segments.at("taken") > 0);
  CHECK(counters.events_received == 0);
  CHECK(rig.engine(0).queued_bytes() == 0);
  CHECK(rig.engine(0).root() != rig.engine(1).root());
  // It is not asked for again and again while commits fail.
  CHECK(counters.datagram_segments.at("taken") < 60);
  rig.store(0).failing = false;
  rig.run_for(seconds(120));
  CHECK(rig.store(0).events() == 10);
  CHECK(counters.events_received == 10);
  CHECK(rig.engine(0).queued_bytes() == 0);
  CHECK(rig.agree());
  CHECK(rig.node(0).faults.empty());
}

TEST_CASE("a segment that no datagram can carry is fetched over a link") {
  Unlinked rig;
  rig.start_both();
  const std::size_t dials = rig.node(1).dial_times.size();
  rig.append(0, {"a", 1, 3000});
  rig.run_for(seconds(30));
  CHECK(rig.store(1).events() == 0);
  CHECK(rig.node(1).dial_times.size() > dials);
  rig.dials = true;
  rig.run_for(seconds(60));
  CHECK(rig.store(1).events() == 1);
}

namespace {

// Four nodes that write all the time, each with two links and none to the node opposite, to which
// datagrams pass, if at all, and dials do not.
struct Busy : Rig {
  Busy(bool with_datagrams, int topics) {
    for (std::uint8_t i = 0; i < kNodes; ++i)
      add_node(static_cast<std::uint8_t>(i + 1), {(i + 1U) % kNodes});
    for (std::size_t i = 0; i < kNodes; ++i) {
      mesh::PeerSeen opposite;
      opposite.device = store((i + 2) % kNodes).device();
      opposite.address = address((i + 2) % kNodes);
      opposite.heard = {1};
      node(i).seen = {opposite};
      start(i);
    }
    run_for(seconds(20));
    REQUIRE(engine(0).links().size() == 3);
    parted = [](std::size_t a, std::size_t b) { return (a + b) % 2 == 0; };
    cut(0, 2);
    cut(1, 3);
    run_for(seconds(10));
    REQUIRE(engine(0).links().size() == 2);
    datagrams = with_datagrams;
    parted = nullptr;
    dials = false;
    // So that news are on their way for a good part of the time, and roots differ meanwhile.
    latency = milliseconds(20);
    for (int i = 0; i < 6000; ++i) {
      append(static_cast<std::size_t>(i) % kNodes, {"a" + std::to_string(i % topics), 1});
      run_for(milliseconds(100));
    }
  }
  std::size_t most_dials() {
    std::size_t most = 0;
    for (std::size_t i = 0; i < kNodes; ++i)
      most = std::max(most, node(i).dial_times.size());
    return most;
  }
  std::uint64_t outcomes(std::string_view name) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kNodes; ++i) {
      const auto& all = engine(i).counters().gossip;
      if (all.contains(name)) sum += all.at(name);
    }
    return sum;
  }
  std::uint64_t segments_taken() {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kNodes; ++i) {
      const auto& all = engine(i).counters().datagram_segments;
      if (all.contains("taken")) sum += all.at("taken");
    }
    return sum;
  }
  static constexpr std::size_t kNodes = 4;
};

}  // namespace

TEST_CASE("in a mesh that writes all the time roots that differ are no reason to dial") {
  int topics = 1;
  SUBCASE("a few logs") {}
  SUBCASE("more logs than the datagrams of an exchange can list") { topics = 300; }
  Busy rig(true, topics);
  const std::uint64_t young = rig.outcomes("young");
  const std::uint64_t agreed = rig.outcomes("agreed");
  const std::uint64_t taken = rig.segments_taken();
  MESSAGE(young << " exchanges ended with roots that differed, " << agreed << " agreed, " << taken
                << " segments came by datagrams");
  CHECK(young + agreed > 10);
  // Without differences there would have been no reason to leave anything.
  CHECK(young > 0);
  for (const char* each : {"different", "put_off", "silent"})
    CHECK_MESSAGE(rig.outcomes(each) == 0, std::string(each));
  // There is a slot to be filled, so the node opposite is dialled, by the back-off of any address;
  // it is not forgotten and learnt anew with each datagram of it.
  Busy without(false, topics);
  MESSAGE("dials: " << rig.most_dials() << ", without datagrams " << without.most_dials());
  CHECK(rig.most_dials() > 0);
  CHECK(rig.most_dials() <= 16);
}

TEST_CASE("where a node has started anew its keys are lost: the others notice, and dial") {
  Unlinked rig;
  rig.start_both();
  rig.run_for(seconds(10));
  REQUIRE(rig.engine(0).datagram_sessions() >= 1);
  rig.node(1).seen.clear();  // so that it dials nobody
  rig.stop(1);
  rig.start(1);
  rig.append(1, {"b", 1});
  rig.dials = true;
  rig.run_for(seconds(30));
  CHECK(rig.store(0).events() == 1);
  CHECK(rig.engine(1).counters().datagrams_dropped.at("unknown_index") >= 1);
  CHECK(rig.engine(0).counters().gossip.at("silent") >= 1);
  // The next keys are as good as those before.
  rig.dials = false;
  rig.cut(0, 1);
  rig.append(1, {"b", 1});
  rig.run_for(seconds(10));
  CHECK(rig.store(0).events() == 2);
}

TEST_CASE("who has no keys of a device meets it by a link, however many links there are") {
  Rig rig;
  // Node 1 has all the links that it wants, and is told of node 0 alone by its own store.
  constexpr std::size_t kOthers = limits::kOverlayLinks;
  rig.add_node(1);
  rig.add_node(2);
  for (std::size_t i = 0; i < kOthers; ++i)
    rig.add_node(static_cast<std::uint8_t>(i + 3), {1});
  for (std::size_t i = 1; i < rig.size(); ++i)
    rig.start(i);
  rig.run_for(seconds(60));
  REQUIRE(rig.engine(1).links().size() == kOthers);
  rig.start(0);
  rig.append(0, {"a", 1});
  mesh::Committed told;
  mesh::HeldPresence word;
  word.device = rig.store(0).device();
  word.said.addresses = {rig.address(0)};
  told.presences = {word};
  rig.input(1, std::move(told));
  rig.run_for(seconds(200));
  CHECK(rig.engine(1).counters().gossip.at("by_link") >= 1);
  CHECK(rig.store(1).events() == 1);
  CHECK(rig.engine(0).datagram_sessions() >= 1);
}

}  // namespace
}  // namespace ebb::tests
