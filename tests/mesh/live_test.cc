#include <doctest/doctest.h>

#include <vector>

#include "tests/mesh/many_logs.h"
#include "tests/mesh/raw_peer.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

// Three nodes, each linked with both others, in sync and quiet.
struct Triangle : Rig {
  Triangle() {
    add_node(1);
    add_node(2, {0});
    add_node(3, {0, 1});
    for (std::size_t i = 0; i < 3; ++i)
      start(i);
    append(0, {"a", 1});
    run_for(seconds(3));
  }
  bool all_hold(std::uint64_t events) {
    return store(0).events() == events && store(1).events() == events &&
           store(2).events() == events;
  }
  std::uint64_t redundant() {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < 3; ++i) {
      sum += engine(i).counters().events_redundant;
    }
    return sum;
  }
};

TEST_CASE("a small segment is pushed at once and needs no WANT") {
  Triangle rig;
  const std::uint64_t wants = rig.count(1, "want").messages_out;
  rig.append(0, {"a", 1});
  rig.run_for(milliseconds(3));
  CHECK(rig.all_hold(2));
  CHECK(rig.count(1, "want").messages_out == wants);
}

TEST_CASE("a duplicate push is answered with PRUNE, and pushes settle on a tree") {
  Triangle rig;
  rig.append(0, {"a", 1});
  rig.run_for(seconds(1));
  CHECK(rig.count(1, "prune").messages_out + rig.count(2, "prune").messages_out > 0);
  const std::uint64_t before = rig.redundant();
  for (int i = 0; i < 50; ++i) {
    rig.append(0, {"a", 1});
    rig.run_for(milliseconds(50));
  }
  CHECK(rig.all_hold(52));
  CHECK(rig.redundant() == before);
  CHECK(rig.engine(0).counters().events_sent >= 100);
}

TEST_CASE("a large segment is announced and asked for, by whoever needs it, once") {
  Triangle rig;
  const std::uint64_t pushes = rig.engine(0).counters().pushes_sent;
  const std::uint64_t redundant = rig.redundant();
  rig.append(0, {"a", 10, 5000});
  rig.run_for(seconds(1));
  CHECK(rig.all_hold(11));
  CHECK(rig.engine(0).counters().pushes_sent == pushes);
  CHECK(rig.count(0, "have").messages_out > 0);
  CHECK(rig.redundant() == redundant);
}

TEST_CASE("the first segment of a new log above 4 KiB is only announced") {
  Triangle rig;
  const std::uint64_t pushes = rig.engine(0).counters().pushes_sent;
  rig.append(0, {"new-large", 1, 5000});
  rig.run_for(seconds(1));
  CHECK(rig.engine(0).counters().pushes_sent == pushes);
  rig.append(0, {"new-small", 1, 3000});
  rig.run_for(seconds(1));
  CHECK(rig.engine(0).counters().pushes_sent > pushes);
  CHECK(rig.all_hold(3));
}

TEST_CASE("announcements of a burst share one HAVE with the newest of each log") {
  Triangle rig;
  const mesh::MessageCount before = rig.count(0, "have");
  for (int i = 0; i < 100; ++i)
    rig.append(0, {"a", 20, 2000});
  rig.run_for(seconds(2));
  CHECK(rig.all_hold(2001));
  CHECK(rig.count(0, "have").messages_out - before.messages_out <= 4);
}

TEST_CASE("after the parent died the announcer is asked at once and pushes from then on") {
  // 0 - 1 - 3 and 0 - 2 - 3: node 3 has two ways to the author.
  Rig rig;
  rig.latency = milliseconds(5);
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.add_node(3, {0});
  rig.add_node(4, {1, 2});
  for (std::size_t i = 0; i < 4; ++i) {
    rig.node(i).config.advertise.clear();
    rig.node(i).config.gossip_interval = seconds(100000);
    rig.start(i);
  }
  rig.node(0).listening = true;
  rig.append(0, {"a", 1});
  rig.run_for(seconds(5));
  for (int i = 0; i < 10; ++i) {
    rig.append(0, {"a", 1});
    rig.run_for(milliseconds(100));
  }
  REQUIRE(rig.store(3).events() == 11);
  // One of the two pushes to node 3; it falls silent, then dies.
  const bool first_is_parent =
      rig.engine(1).counters().pushes_sent > rig.engine(2).counters().pushes_sent;
  const std::size_t parent = first_is_parent ? 1 : 2;
  rig.node(parent).mute = true;
  rig.append(0, {"a", 1});
  rig.run_for(milliseconds(200));
  CHECK(rig.store(3).events() == 12);
  rig.stop(parent);
  rig.append(0, {"a", 1});
  rig.run_for(milliseconds(200));
  CHECK(rig.store(3).events() == 13);
}

TEST_CASE("an announced segment that nobody pushes is wanted after 40 ms, then elsewhere") {
  FakeStore store(1);
  FakeStore author(9);
  std::vector<trust::VerifiedSegment> segments;
  for (int i = 0; i < 2; ++i)
    segments.push_back(author.append({"a", 1}).own_segments[0]);
  RawPeer peer(store, 2);
  peer.greet();
  peer.send(delta_of({segments[0]}));
  REQUIRE(store.events() == 1);
  // A second link, so that waiting for a push makes sense. It stays silent.
  const FakeStore other(3);
  const mesh::LinkId second{mesh::kInboundBit | 99};
  peer.input(mesh::LinkUp{second, false, "other:1"});
  Bytes bytes = plain_preamble(other.device());
  codec::Hello hello = peer.hello();
  hello.root = peer.engine().root();
  hello.count = peer.engine().log_count();
  codec::encode_frame(hello, bytes);
  codec::encode_frame(codec::YourLogsSummary{}, bytes);
  peer.input(mesh::StreamBytes{second, bytes});
  REQUIRE(peer.engine().links().size() == 2);
  // Announced by the silent one only: it is no parent and not the author.
  bytes.clear();
  codec::encode_frame(codec::Have{{{segments[0].log, 2}}}, bytes);
  const Instant announced = peer.now;
  peer.input(mesh::StreamBytes{second, bytes});
  const auto wants = [&peer] {
    const auto& messages = peer.engine().counters().messages;
    const auto it = messages.find("want");
    return it == messages.end() ? 0 : it->second.messages_out;
  };
  const std::uint64_t before = wants();
  peer.run_until(announced + milliseconds(39));
  CHECK(wants() == before);
  peer.run_until(announced + milliseconds(41));
  CHECK(wants() == before + 1);
  // No answer; meanwhile the first link announces too, and is asked when the time is over.
  peer.forget_received();
  peer.send(codec::Have{{{segments[0].log, 2}}});
  CHECK(!peer.take<codec::Want>());
  peer.run_until(announced + milliseconds(80));
  const auto want = peer.take<codec::Want>();
  REQUIRE(want);
  CHECK(want->reconciliation.is_zero());
  REQUIRE(want->ranges.size() == 1);
  CHECK(want->ranges[0] == codec::WantRange{segments[0].log, 2, 0});
}

TEST_CASE("who was asked for an announcement is asked to push again") {
  FakeStore store(1);
  static_cast<void>(store.append({"a", 1}));
  RawPeer peer(store, 2);
  peer.greet(store.heads());
  const LogId log = store.own_log("a");
  peer.send(codec::Prune{{log}});
  peer.input(store.append({"a", 1}));
  CHECK(peer.engine().counters().pushes_sent == 0);
  peer.run_until(peer.now + milliseconds(10));
  const auto have = peer.take<codec::Have>();
  REQUIRE(have);
  CHECK(have->heads == std::vector<codec::LogSeq>{{log, 2}});
  codec::Want want;
  want.ranges = {{log, 2, 0}};
  peer.send(want);
  peer.input(store.append({"a", 1}));
  CHECK(peer.engine().counters().pushes_sent == 1);
}

TEST_CASE("HAVE names committed heads only, and a push runs ahead of its commit") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.add_node(3, {1});
  for (std::size_t i = 0; i < 3; ++i) {
    rig.node(i).config.advertise.clear();
    rig.start(i);
  }
  rig.append(0, {"a", 1});
  rig.run_for(seconds(3));
  rig.commit_delay = seconds(1);
  rig.append(0, {"a", 1});
  rig.run_for(milliseconds(100));
  // Node 1 has verified and pushed it on; its own disk is still busy.
  CHECK(rig.engine(1).events_held() == 1);
  CHECK(rig.engine(2).counters().pushes_received >= 2);
  CHECK(rig.engine(1).counters().pushes_sent >= 2);
  rig.run_for(seconds(3));
  CHECK(rig.engine(2).events_held() == 2);
}

TEST_CASE("ACK tells the author what is durable where") {
  Triangle rig;
  for (int i = 0; i < 5; ++i)
    rig.append(0, {"b", 3});
  rig.run_for(seconds(1));
  for (const mesh::LinkStatus& link : rig.engine(0).links()) {
    CHECK(link.missing_there == 0);
    CHECK(link.missing_here == 0);
    CHECK(link.state == "in_sync");
  }
}

TEST_CASE("an idle link is pinged, answers keep it, silence ends it") {
  Rig rig;
  rig.latency = milliseconds(20);
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.start(0);
  rig.start(1);
  rig.run_for(seconds(100));
  CHECK(rig.count(0, "ping").messages_in > 0);
  REQUIRE(rig.engine(0).links().size() == 1);
  CHECK(rig.engine(0).links()[0].rtt.value_or(Duration{}) >= milliseconds(20));
  CHECK(rig.engine(0).links()[0].rtt.value_or(Duration{}) <= milliseconds(60));
  CHECK(rig.node(1).dial_times.size() == 1);
  // Idle costs next to nothing.
  CHECK(rig.wire_bytes(0, 1) < 1000);
  rig.node(0).mute = true;
  rig.run_for(seconds(29));
  CHECK(rig.node(1).dial_times.size() == 1);
  rig.run_for(seconds(20));  // 45 after the last sign of life, and the first back-off
  CHECK(rig.node(1).dial_times.size() > 1);
}

TEST_CASE("a process that was stopped does not blame its peers") {
  FakeStore store(1);
  RawPeer peer(store, 2);
  peer.answers_pings = false;
  peer.greet();
  peer.run_until(peer.now + seconds(16));
  REQUIRE(peer.take<codec::Ping>());
  // Nobody called for ten minutes; the answer to the ping waits in the socket.
  peer.now = peer.now + seconds(600);
  peer.input(mesh::Tick{});
  CHECK(!peer.closed());
  peer.send(codec::Ping{1, true});
  peer.run_until(peer.now + seconds(20));
  CHECK(!peer.closed());
}

TEST_CASE("who pushed what its disk then refused is not blamed when it cannot send it again") {
  FakeStore store(1);
  FakeStore author(9);
  std::vector<trust::VerifiedSegment> segments;
  for (int i = 0; i < 3; ++i)
    segments.push_back(author.append({"a", 1}).own_segments[0]);
  store_segment(store, segments[0]);
  RawPeer peer(store, 2);
  peer.greet(store.heads());
  codec::Delta empty;
  empty.last = true;
  for (int round = 0; round < 5; ++round) {
    peer.send(delta_of({segments[2]}));  // what comes before it is missing
    REQUIRE(peer.take<codec::Want>());
    if (round > 1) peer.send(delta_of({segments[2]}));  // once more is no promise
    peer.send(empty);
    CHECK(!peer.closed());
  }
  // Who says that it holds it is.
  for (int round = 0; round < 3; ++round) {
    peer.send(codec::Have{{{segments[2].log, 3}}, 0});
    REQUIRE(peer.take<codec::Want>());
    peer.send(empty);
  }
  CHECK(peer.faulted_with("empty_answers"));
}

TEST_CASE("who pushes again and again what it never has to send is given up in the end") {
  FakeStore store(1);
  FakeStore author(9);
  static_cast<void>(author.append({"a", 1}));
  const auto segment = author.append({"a", 1}).own_segments[0];
  RawPeer peer(store, 2);
  peer.greet();
  codec::Delta empty;
  empty.last = true;
  int rounds = 0;
  while (!peer.closed() && rounds < 1000) {
    peer.send(delta_of({segment}));  // what comes before it is missing
    REQUIRE(peer.take<codec::Want>());
    peer.send(empty);
    ++rounds;
  }
  CHECK(peer.faulted_with("empty_answers"));
  CHECK(rounds > 60);
  CHECK(rounds < 70);
}

}  // namespace
}  // namespace ebb::tests
