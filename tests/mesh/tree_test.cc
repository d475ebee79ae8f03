// The tree that the pushes of a log follow: who is parent, who is told to announce, when the ways
// are found anew; and how long announcements gather.
#include <doctest/doctest.h>

#include <vector>

#include "tests/mesh/raw_peer.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

// A node with two links, in sync: to `first`, which has pushed the first segment of a foreign log,
// and to another peer.
struct TwoLinks {
  TwoLinks() : store(1), author(9), first(store, 2) {
    for (int i = 0; i < 4; ++i)
      segments.push_back(author.append({"a", 1}).own_segments[0]);
    first.greet();
    first.send(delta_of({segments[0]}));
    const FakeStore other(3);
    first.input(mesh::LinkUp{second, false, "other:1"});
    Bytes bytes = plain_preamble(other.device());
    codec::Hello hello = first.hello();
    hello.root = first.engine().root();
    hello.count = first.engine().log_count();
    codec::encode_frame(hello, bytes);
    codec::encode_frame(codec::YourLogsSummary{}, bytes);
    first.input(mesh::StreamBytes{second, bytes});
    first.forget_received();
  }
  void push_by_first(std::size_t i) { first.send(delta_of({segments[i]})); }
  void push_by_second(std::size_t i) {
    Bytes bytes;
    codec::encode_frame(delta_of({segments[i]}), bytes);
    first.input(mesh::StreamBytes{second, bytes});
  }
  std::uint64_t prunes() {
    const auto& messages = first.engine().counters().messages;
    const auto it = messages.find("prune");
    return it == messages.end() ? 0 : it->second.messages_out;
  }

  FakeStore store;
  FakeStore author;
  std::vector<trust::VerifiedSegment> segments;
  RawPeer first;
  mesh::LinkId second{mesh::kInboundBit | 99};
};

// Greets as who has all, and wants topic "a" announced alone.
void greet_lazy(RawPeer& peer, const FakeStore& store) {
  peer.greet(store.heads());
  peer.run_until(peer.now + seconds(1));
  peer.send(codec::Prune{{store.own_log("a")}});
  peer.forget_received();
}

TEST_CASE("the parent that loses a race stays, and the faster link is told to announce") {
  TwoLinks two;
  two.push_by_second(1);
  CHECK(two.prunes() == 0);
  two.push_by_first(1);
  REQUIRE(two.store.events() == 2);
  CHECK(two.prunes() == 1);
  CHECK(!two.first.take<codec::Prune>());
}

TEST_CASE("a link that brings news twice while the parent is silent replaces it") {
  TwoLinks two;
  two.push_by_second(1);
  two.push_by_second(2);
  REQUIRE(two.store.events() == 3);
  CHECK(two.prunes() == 0);
  two.push_by_first(2);
  CHECK(two.prunes() == 1);
  CHECK(two.first.take<codec::Prune>());
}

TEST_CASE("a duplicate of another link than the parent is pruned once") {
  TwoLinks two;
  two.push_by_first(1);
  two.push_by_second(1);
  two.push_by_second(1);
  CHECK(two.prunes() == 1);
}

TEST_CASE("with the parent lost an announcement is asked for at once") {
  TwoLinks two;
  two.push_by_second(1);
  two.push_by_second(2);  // the second link is parent now
  two.first.input(mesh::LinkDown{two.second, "gone"});
  // A third link, so that there might be somebody else to push.
  two.second = mesh::LinkId{mesh::kInboundBit | 100};
  const FakeStore third(4);
  two.first.input(mesh::LinkUp{two.second, false, "third:1"});
  Bytes bytes = plain_preamble(third.device());
  codec::Hello hello = two.first.hello();
  hello.root = two.first.engine().root();
  hello.count = two.first.engine().log_count();
  codec::encode_frame(hello, bytes);
  codec::encode_frame(codec::YourLogsSummary{}, bytes);
  two.first.input(mesh::StreamBytes{two.second, bytes});
  two.first.forget_received();
  two.first.send(codec::Have{{{two.segments[0].log, 4}}});
  const auto want = two.first.take<codec::Want>();
  REQUIRE(want);
  CHECK(want->ranges[0].from == 4);
}

TEST_CASE("a flood makes a pruned link eager again, at most once in its time") {
  TwoLinks two;
  two.push_by_first(1);
  two.first.send(codec::Prune{{two.segments[0].log}});
  const std::uint64_t before = two.first.engine().counters().pushes_sent;
  const auto flood = [&two](std::size_t i) {
    Bytes bytes;
    codec::Delta delta = delta_of({two.segments[i]});
    delta.flood = true;
    codec::encode_frame(delta, bytes);
    two.first.input(mesh::StreamBytes{two.second, bytes});
  };
  flood(2);
  CHECK(two.first.engine().counters().pushes_sent == before + 1);
  const auto delta = two.first.take<codec::Delta>();
  REQUIRE(delta);
  CHECK(delta->flood);
  two.first.send(codec::Prune{{two.segments[0].log}});
  flood(3);
  REQUIRE(two.store.events() == 4);
  CHECK(two.first.engine().counters().pushes_sent == before + 1);
}

TEST_CASE("a busy author floods a log once in ten minutes, a quiet one never") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.add_node(3, {0, 1});
  for (std::size_t i = 0; i < 3; ++i)
    rig.start(i);
  rig.run_for(seconds(3));
  const auto redundant = [&rig] {
    return rig.engine(1).counters().events_redundant + rig.engine(2).counters().events_redundant;
  };
  const auto append = [&rig](const char* topic, int events, Duration apart) {
    for (int i = 0; i < events; ++i) {
      rig.append(0, {topic, 1});
      rig.run_for(apart);
    }
  };
  append("busy", 70, seconds(2));
  append("quiet", 3, seconds(150));
  const std::uint64_t before = redundant();
  rig.run_for(seconds(600));
  append("busy", 1, seconds(1));
  const std::uint64_t flooded = redundant();
  CHECK(flooded > before);
  append("busy", 80, seconds(2));
  append("quiet", 5, seconds(1));
  CHECK(redundant() == flooded);
}

TEST_CASE("a control log comes once to each node, and the logs of its device go the same way") {
  Rig rig;
  constexpr std::size_t kNodes = 7;
  for (std::uint8_t i = 0; i < kNodes; ++i) {
    rig.add_node(static_cast<std::uint8_t>(i + 1),
                 i == 0 ? std::vector<std::size_t>{} : std::vector<std::size_t>{0});
    rig.start(i);
  }
  rig.run_for(seconds(30));
  const auto sum = [&rig](const char* name) {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < rig.size(); ++i)
      count += rig.count(i, name).messages_in;
    return count;
  };
  const auto redundant = [&rig] {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < rig.size(); ++i)
      count += rig.engine(i).counters().events_redundant;
    return count;
  };
  REQUIRE(rig.engine(3).links().size() == kNodes - 1);
  rig.append(3, {"_ebb", 1});
  rig.run_for(seconds(1));
  CHECK(sum("delta") == kNodes - 1);
  CHECK(sum("want") == kNodes - 1);
  rig.append(3, {"_ebb", 1});
  rig.run_for(seconds(1));
  CHECK(sum("delta") == 2 * (kNodes - 1));
  CHECK(sum("want") == kNodes - 1);
  rig.append(3, {"events", 1});
  rig.run_for(milliseconds(2 * kNodes));
  CHECK(sum("delta") == 3 * (kNodes - 1));
  rig.run_for(seconds(1));
  CHECK(sum("delta") == 3 * (kNodes - 1));
  CHECK(redundant() == 0);
  for (std::size_t i = 0; i < rig.size(); ++i)
    CHECK(rig.store(i).events() == 3);
}

TEST_CASE("a log that begins where no tree of its device is known is flooded") {
  Rig rig;
  for (std::uint8_t i = 0; i < 4; ++i) {
    rig.add_node(static_cast<std::uint8_t>(i + 1),
                 i == 0 ? std::vector<std::size_t>{} : std::vector<std::size_t>{0});
  }
  // Before any link: it reaches the others in exchanges, and nobody asks after an announcement.
  rig.start(0);
  rig.append(0, {"_ebb", 1});
  for (std::size_t i = 1; i < 4; ++i)
    rig.start(i);
  rig.run_for(seconds(30));
  REQUIRE(rig.store(3).events() == 1);
  rig.append(0, {"events", 1});
  rig.run_for(milliseconds(4));
  for (std::size_t i = 1; i < 4; ++i)
    CHECK(rig.store(i).events() == 2);
}

TEST_CASE("announcements gather for 5 ms on a quiet link and up to 50 ms on a busy one") {
  FakeStore store(1);
  static_cast<void>(store.append({"a", 1}));
  RawPeer peer(store, 2);
  greet_lazy(peer, store);
  const Instant first = peer.now;
  peer.input(store.append({"a", 1}));
  peer.run_until(first + milliseconds(4));
  CHECK(!peer.take<codec::Have>());
  peer.run_until(first + milliseconds(5));
  CHECK(peer.take<codec::Have>());
  for (int i = 0; i < 200; ++i) {
    peer.input(store.append({"a", 1}));
    peer.run_until(peer.now + milliseconds(5));
  }
  peer.run_until(peer.now + milliseconds(50));
  std::size_t haves = 0;
  while (peer.take<codec::Have>())
    ++haves;
  CHECK(haves >= 1000 / 55);
  CHECK(haves <= 1000 / 50 + 5);
}

TEST_CASE("announcements of control logs alone gather for half a second") {
  FakeStore store(1);
  static_cast<void>(store.append({"a", 1}));
  static_cast<void>(store.append({"_ebb", 1}));
  RawPeer peer(store, 2);
  greet_lazy(peer, store);
  const Instant first = peer.now;
  peer.input(store.append({"_ebb", 1}));
  peer.run_until(first + milliseconds(499));
  CHECK(!peer.take<codec::Have>());
  peer.run_until(first + milliseconds(500));
  CHECK(peer.take<codec::Have>());
  // What is in a hurry takes them along.
  peer.run_until(first + seconds(1));
  peer.input(store.append({"_ebb", 1}));
  peer.input(store.append({"a", 1}));
  peer.run_until(first + milliseconds(1005));
  const auto have = peer.take<codec::Have>();
  REQUIRE(have);
  CHECK(have->heads.size() == 2);
}

}  // namespace
}  // namespace ebb::tests
