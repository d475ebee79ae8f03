#include <doctest/doctest.h>

#include <algorithm>

#include "core/limits.h"
#include "tests/mesh/many_logs.h"
#include "tests/mesh/raw_peer.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

std::uint64_t received(Rig& rig, std::size_t i) { return rig.engine(i).counters().events_received; }
std::uint64_t redundant(Rig& rig, std::size_t i) {
  return rig.engine(i).counters().events_redundant;
}

bool in_sync(Rig& rig, std::size_t a, std::size_t b) {
  return rig.engine(a).root() == rig.engine(b).root() &&
         rig.store(a).events() == rig.store(b).events();
}

TEST_CASE("both sides of a new link get what they lack, and tell of it under one id") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.start(0);
  rig.start(1);
  for (int i = 0; i < 30; ++i)
    rig.append(0, {"a", 10});
  for (int i = 0; i < 20; ++i)
    rig.append(1, {"b" + std::to_string(i), 7});
  rig.run_for(seconds(3));

  REQUIRE(in_sync(rig, 0, 1));
  CHECK(rig.store(0).events() == 440);
  CHECK(received(rig, 0) == 140);
  CHECK(received(rig, 1) == 300);
  CHECK(redundant(rig, 0) + redundant(rig, 1) == 0);
  REQUIRE(rig.node(0).rows.size() == 1);
  REQUIRE(rig.node(1).rows.size() == 1);
  const mesh::Reconciliation& a = rig.node(0).rows[0];
  const mesh::Reconciliation& b = rig.node(1).rows[0];
  CHECK(a.id == b.id);
  CHECK(a.kind == "list");
  CHECK(a.outcome == "in_sync");
  CHECK(b.outcome == "in_sync");
  CHECK(a.held_before == 300);
  CHECK(a.known_before == 440);
  CHECK(a.held_after == 440);
  CHECK(a.known_after == 440);
  CHECK(a.events_in == 140);
  CHECK(a.events_out == 300);
  CHECK(b.events_in == 300);
  CHECK(b.held_before == 140);
  CHECK(a.root_after == b.root_after);
  CHECK(a.root_before != a.root_after);
}

TEST_CASE(
    "logs of which a peer has announced more are named, so many of them, until they are here") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.start(0);
  rig.start(1);
  for (int i = 0; i < 5; ++i)
    rig.append(0, {"a" + std::to_string(i), 10});
  std::uint64_t most = 0;
  rig.commit_delay = milliseconds(100);
  for (int i = 0; i < 300 && !in_sync(rig, 0, 1); ++i) {
    rig.run_for(milliseconds(10));
    const mesh::MissingLogs missing = rig.engine(1).missing_logs(3);
    std::uint64_t events = 0;
    for (const mesh::MissingLog& log : rig.engine(1).missing_logs(100).logs) {
      CHECK(log.known > log.held);
      events += log.known - log.held;
      if (log.key) CHECK(log.key->device == rig.store(0).device());
    }
    CHECK(events == rig.engine(1).events_known() - rig.engine(1).events_held());
    CHECK(missing.logs.size() == std::min<std::uint64_t>(missing.count, 3));
    most = std::max(most, missing.count);
  }
  CHECK(most == 5);
  CHECK(rig.engine(1).missing_logs(3).count == 0);
}

TEST_CASE("each DELTA is counted by its size") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.start(0);
  rig.start(1);
  for (int i = 0; i < 30; ++i)
    rig.append(0, {"a", 10});
  rig.run_for(seconds(3));
  rig.append(0, {"a", 1});
  rig.run_for(seconds(1));
  std::uint64_t counted = 0;
  for (const std::uint64_t count : rig.engine(1).counters().delta_sizes)
    counted += count;
  CHECK(counted == rig.count(1, "delta").messages_in);
  CHECK(counted > 1);
  CHECK(rig.engine(1).counters().delta_sizes.front() < counted);
}

TEST_CASE("more logs than fit a page or a WANT are listed and fetched in pages") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2);
  rig.add_node(3, {0});
  // Logs of many incarnations: a page holds 2,048 heads.
  for (Incarnation incarnation = 1; incarnation <= 5000; ++incarnation) {
    rig.store(0).begin_incarnation(incarnation);
    static_cast<void>(rig.store(0).append({"t", 1}));
  }
  rig.start(0);
  rig.start(2);
  rig.run_for(seconds(10));
  CHECK(rig.store(2).events() == 5000);
  CHECK(rig.count(2, "sync_req").messages_out == 3);
  REQUIRE(rig.node(2).rows.size() == 1);
  CHECK(rig.node(2).rows[0].rounds == 3);
  CHECK(rig.node(2).rows[0].heads_compared == 5000);
}

TEST_CASE("a read that fails at the sender leaves the receiver behind, until an audit mends it") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.append(0, {"a", 5});
  rig.append(0, {"b", 5});
  rig.store(0).failing_reads = true;
  rig.start(0);
  rig.start(1);
  rig.run_for(seconds(2));
  REQUIRE(rig.node(1).rows.size() == 1);
  CHECK(rig.node(1).rows[0].outcome == "left_out");
  CHECK(rig.node(0).rows[0].outcome == "in_sync");  // which lacks nothing
  REQUIRE(rig.engine(1).links().size() == 1);
  CHECK(rig.engine(1).links()[0].state == "incomplete");
  CHECK(rig.store(1).events() == 0);
  CHECK(rig.store(1).cursors().empty());

  rig.store(0).failing_reads = false;
  rig.run_for(seconds(80));
  CHECK(in_sync(rig, 0, 1));
  CHECK(rig.engine(1).counters().audit_repairs == 2);
  rig.run_for(seconds(80));
  CHECK(rig.engine(1).links()[0].state == "in_sync");
}

TEST_CASE("after a stream broke inside a DELTA nothing that is stored is sent again") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2, {0});
  for (int i = 0; i < 1200; ++i)
    static_cast<void>(rig.store(0).append({"a", 50, 100}));
  rig.start(0);
  rig.start(1);
  int large = 0;
  // The fortieth large chunk breaks in its middle.
  rig.breaker = [&large](std::size_t from, std::size_t, const Bytes& bytes) {
    const bool breaks = from == 0 && bytes.size() > 50000 && ++large == 40;
    return breaks ? std::optional(bytes.size() / 2) : std::nullopt;
  };
  rig.run_for(seconds(10));
  REQUIRE(large > 40);
  REQUIRE(in_sync(rig, 0, 1));
  CHECK(rig.store(1).events() == 60000);
  CHECK(redundant(rig, 1) == 0);
  CHECK(received(rig, 1) == 60000);
  REQUIRE(rig.node(1).rows.size() == 2);
  CHECK(rig.node(1).rows[0].outcome == "interrupted");
  CHECK(rig.node(1).rows[1].outcome == "in_sync");
  CHECK(rig.node(1).rows[1].held_before > 0);
}

TEST_CASE("a reader with a slow disk is not sent more than its credit") {
  Rig rig;
  rig.commit_delay = milliseconds(200);
  rig.add_node(1);
  rig.add_node(2, {0});
  for (int i = 0; i < 300; ++i)
    static_cast<void>(rig.store(0).append({"a", 200, 100}));
  rig.start(0);
  rig.start(1);
  std::size_t peak = 0;
  for (int i = 0; i < 3000; ++i) {
    rig.run_for(milliseconds(20));
    peak = std::max(peak, rig.engine(1).queued_bytes());
    if (in_sync(rig, 0, 1)) break;
  }
  CHECK(in_sync(rig, 0, 1));
  CHECK(peak > 1000000);
  CHECK(peak <= limits::kInboundBytesPerPeer + limits::kFrameBytes);
  CHECK(rig.node(0).faults.empty());
  CHECK(rig.node(1).faults.empty());
}

TEST_CASE("two sources of one log are not both asked for it") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.add_node(3);
  rig.start(0);
  rig.start(1);
  for (int i = 0; i < 100; ++i)
    rig.append(0, {"a", 100, 100});
  rig.run_for(seconds(5));
  REQUIRE(in_sync(rig, 0, 1));
  rig.node(2).config.peers = {rig.address(0), rig.address(1)};
  rig.start(2);
  rig.run_for(seconds(5));
  REQUIRE(in_sync(rig, 0, 2));
  CHECK(redundant(rig, 2) == 0);
  CHECK(rig.node(2).rows.size() == 2);
}

TEST_CASE("several peers share one catch-up, and nothing is fetched twice") {
  Authors authors(4);
  Rig rig;
  rig.commit_delay = milliseconds(2);
  for (std::uint8_t seed = 1; seed <= 3; ++seed)
    rig.add_node(seed);
  rig.add_node(4, {0, 1, 2});
  for (std::size_t i = 0; i < 2000; ++i) {
    const auto segment = authors.append(i % 4, 1 + i / 4, {"t", 3, 100});
    for (const std::size_t holder : {0U, 1U, 2U})
      store_segment(rig.store(holder), segment);
  }
  for (const std::size_t i : {0U, 1U, 2U, 3U})
    rig.start(i);
  rig.run_for(seconds(10));
  CHECK(rig.store(3).events() == 6000);
  CHECK(redundant(rig, 3) == 0);
  for (const std::size_t holder : {0U, 1U, 2U}) {
    CAPTURE(holder);
    CHECK(rig.engine(holder).counters().events_sent >= 1000);
  }
}

// Two holders of one log that reach each other only through the node that lacks it.
struct TwoHolders : Rig {
  TwoHolders() {
    add_node(1);
    add_node(2);
    add_node(3, {0, 1});
    parted = [](std::size_t a, std::size_t b) { return a + b == 1; };
    commit_delay = milliseconds(2);
  }
  void run() {
    for (const std::size_t i : {0U, 1U, 2U})
      start(i);
    run_for(seconds(10));
  }
};

TEST_CASE("two holders of one log share its catch-up when one of them has only a part") {
  TwoHolders rig;
  FakeStore author(9);
  std::size_t shorter = 0;
  SUBCASE("the first one") {}
  SUBCASE("the second one") { shorter = 1; }
  for (int i = 0; i < 100; ++i) {
    const auto segment = author.append({"a", 1}).own_segments[0];
    store_segment(rig.store(1 - shorter), segment);
    if (i < 50) store_segment(rig.store(shorter), segment);
  }
  rig.run();
  CHECK(rig.store(2).events() == 100);
  CHECK(rig.store(shorter).events() == 100);
  CHECK(redundant(rig, 2) == 0);
  for (const mesh::LinkStatus& link : rig.engine(2).links())
    CHECK(link.state == "in_sync");
}

TEST_CASE("a log is fetched from its second holder when the first has another branch of it") {
  TwoHolders rig;
  FakeStore author(9);
  FakeStore twin(9);
  std::size_t forked = 0;
  SUBCASE("the first one") {}
  SUBCASE("the second one") { forked = 1; }
  for (int i = 0; i < 20; ++i) {
    const auto segment = author.append({"a", 1}).own_segments[0];
    store_segment(rig.store(1 - forked), segment);
    if (i == 0) store_segment(rig.store(2), segment);
  }
  // One segment in which nothing else could show that more is missing.
  store_segment(rig.store(forked), twin.append({"a", 1, 9}).own_segments[0]);
  store_segment(rig.store(forked), twin.append({"a", 19, 9}).own_segments[0]);
  rig.run();
  CHECK(rig.store(2).events() == 20);
  const LogId log = author.own_log("a");
  CHECK(rig.store(2).segments(log).back().chain == author.segments(log).back().chain);
}

TEST_CASE("when the source dies another announcer is asked for the rest") {
  Rig rig;
  rig.commit_delay = milliseconds(20);
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.add_node(3);
  for (int i = 0; i < 400; ++i)
    static_cast<void>(rig.store(0).append({"a", 100, 100}));
  rig.start(0);
  rig.start(1);
  rig.run_for(seconds(20));
  REQUIRE(in_sync(rig, 0, 1));
  rig.node(2).config.peers = {rig.address(0), rig.address(1)};
  rig.start(2);
  while (received(rig, 2) == 0)
    rig.run_for(milliseconds(5));
  REQUIRE(received(rig, 2) < 40000);
  // Whichever of the two it asked is gone for good.
  const std::size_t source = rig.engine(0).counters().events_sent > 40000 ? 0 : 1;
  rig.stop(source);
  rig.run_for(seconds(20));
  CHECK(rig.store(2).events() == 40000);
  CHECK(redundant(rig, 2) == 0);
}

TEST_CASE("a log is read oldest first and logs take turns") {
  FakeStore store(1);
  for (int i = 0; i < 40; ++i)
    static_cast<void>(store.append({"a", 100, 100}));
  static_cast<void>(store.append({"b", 1}));
  RawPeer peer(store, 2);
  peer.greet();
  const LogId a = store.own_log("a");
  const LogId b = store.own_log("b");
  peer.answers_reads = true;
  codec::Want want;
  want.reconciliation.data[0] = 5;
  want.ranges = {{a, 1, 0}, {b, 1, 0}};
  peer.send(want);
  REQUIRE(peer.reads().size() >= 3);
  CHECK(peer.reads()[0].log == a);
  CHECK(peer.reads()[1].log == b);
  CHECK(peer.reads()[2].log == a);
  Seq reached = 0;
  std::size_t lasts = 0;
  while (const auto delta = peer.take<codec::Delta>())
    lasts += delta->last ? 1U : 0U;
  for (const mesh::Read& read : peer.reads()) {
    if (read.log != a) continue;
    CHECK(read.from > reached);
    reached = read.from;
  }
  CHECK(lasts == 1);
}

TEST_CASE("a WANT for what is not here is answered with an empty last DELTA") {
  FakeStore store(1);
  static_cast<void>(store.append({"a", 3}));
  RawPeer peer(store, 2);
  peer.greet();
  LogId unknown;
  unknown.data[3] = 1;
  codec::Want want;
  want.ranges = {{unknown, 1, 0}, {store.own_log("a"), 4, 0}};
  peer.send(want);
  const auto delta = peer.take<codec::Delta>();
  REQUIRE(delta);
  CHECK(delta->last);
  CHECK(delta->segments.empty());
}

TEST_CASE("a WANT from the middle of a segment brings only the rest of it") {
  FakeStore store(1);
  static_cast<void>(store.append({"a", 100}));
  RawPeer peer(store, 2);
  peer.greet();
  codec::Want want;
  want.ranges = {{store.own_log("a"), 61, 0}};
  peer.send(want);
  REQUIRE(peer.reads().size() == 1);
  CHECK(peer.reads()[0].from == 61);
  CHECK(peer.engine().counters().events_sent == 40);
}

}  // namespace
}  // namespace ebb::tests
