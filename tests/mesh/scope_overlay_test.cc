// Where partial scopes decide who is linked with whom, and what goes by datagram.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "codec/datagram.h"
#include "core/limits.h"
#include "tests/mesh/datagram_peer.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

const Scope kLeaf{ScopeKind::kLeaf, {}, {}};

// Node 0, as many others as it takes links, which it knows, and one more that it does not.
struct FullHouse : Rig {
  static constexpr std::size_t kLast = limits::kOverlayLinks + 1;
  FullHouse(const Scope& first, const Scope& others) {
    std::vector<std::size_t> known;
    for (std::size_t i = 1; i < kLast; ++i)
      known.push_back(i);
    add_node(1, known);
    node(0).config.scope = first;
    for (std::size_t i = 1; i <= kLast; ++i) {
      add_node(static_cast<std::uint8_t>(i + 1));
      node(i).config.scope = others;
      node(i).config.shuffle_interval = seconds(5);
    }
    node(kLast).config.scope = {};
  }
  // All but the last; each other has company enough to need nobody.
  void fill() {
    for (std::size_t i = 0; i < kLast; ++i)
      start(i);
    run_for(seconds(60));
    REQUIRE(slots(0) == limits::kOverlayLinks);
  }
  std::size_t slots(std::size_t i) {
    std::size_t count = 0;
    for (const mesh::LinkStatus& link : engine(i).links())
      count += link.state == "in_sync" ? 1U : 0U;
    return count;
  }
};

TEST_CASE("a partial node without a relay dials one that it hears of, though it has links enough") {
  FullHouse rig(kLeaf, kLeaf);
  rig.node(FullHouse::kLast).config.peers = {rig.address(1)};
  rig.fill();
  rig.start(FullHouse::kLast);
  rig.run_for(seconds(300));
  CHECK(rig.streams_between(0, FullHouse::kLast) == 1);
  CHECK(rig.slots(0) <= limits::kOverlayLinks);
  rig.append(0, {"a", 1});
  rig.run_for(seconds(1));
  CHECK(rig.store(FullHouse::kLast).events() == 1);
}

TEST_CASE("a node that is no relay is not looked for when links are enough") {
  FullHouse rig(kLeaf, kLeaf);
  rig.node(FullHouse::kLast).config.peers = {rig.address(1)};
  rig.node(FullHouse::kLast).config.relay = false;
  rig.fill();
  rig.start(FullHouse::kLast);
  rig.run_for(seconds(300));
  const std::size_t dials = rig.node(0).dial_times.size();
  rig.run_for(seconds(3600));
  CHECK(rig.node(0).dial_times.size() - dials <= 2);
}

TEST_CASE("a relay gives a slot to a partial node that has none") {
  FullHouse rig({}, {});
  rig.node(FullHouse::kLast).config.scope = kLeaf;
  rig.fill();
  // It is not short of links, and none of them is to a relay.
  const std::size_t first = rig.size();
  for (std::size_t i = 0; i < limits::kOverlayMin; ++i) {
    rig.add_node(static_cast<std::uint8_t>(first + i + 1), {FullHouse::kLast});
    rig.node(first + i).config.scope = kLeaf;
    rig.start(first + i);
  }
  rig.start(FullHouse::kLast);
  rig.run_for(seconds(60));
  REQUIRE(rig.slots(FullHouse::kLast) >= limits::kOverlayMin);
  rig.input(FullHouse::kLast, mesh::AddPeer{rig.address(0)});
  rig.run_for(seconds(30));
  REQUIRE(rig.streams_between(0, FullHouse::kLast) == 1);
  rig.run_for(seconds(600));
  CHECK(rig.streams_between(0, FullHouse::kLast) == 1);
}

TEST_CASE("the last link to a relay makes room for nobody") {
  FullHouse rig(kLeaf, kLeaf);
  rig.node(3).config.scope = {};
  rig.fill();
  REQUIRE(rig.streams_between(0, 3) == 1);
  rig.node(3).config.peers.clear();
  for (std::size_t i = 0; i < 20; ++i) {
    const std::size_t newcomer = rig.add_node(static_cast<std::uint8_t>(40 + i), {0});
    rig.node(newcomer).config.relay = false;
    rig.start(newcomer);
    rig.run_for(seconds(5));
    CAPTURE(i);
    CHECK(rig.streams_between(0, 3) == 1);
  }
}

TEST_CASE("a relay keeps the links of many partial nodes that have no other") {
  Rig rig;
  rig.add_node(1);
  constexpr std::size_t kLeaves = 20;
  for (std::size_t i = 1; i <= kLeaves; ++i) {
    rig.add_node(static_cast<std::uint8_t>(i + 1), {0});
    rig.node(i).config.scope = kLeaf;
  }
  for (std::size_t i = 0; i <= kLeaves; ++i)
    rig.start(i);
  rig.run_for(seconds(120));
  for (std::size_t i = 1; i <= kLeaves; ++i) {
    CAPTURE(i);
    CHECK(rig.streams_between(0, i) == 1);
    rig.append(i, {"a", 1});
  }
  rig.run_for(seconds(1));
  CHECK(rig.store(0).events() == kLeaves);
}

// ---- datagrams

// A full node and a leaf, which know each other's addresses.
struct Pair : Rig {
  Pair() {
    for (std::size_t i = 0; i < 2; ++i)
      add_node(static_cast<std::uint8_t>(i + 1));
    node(1).config.scope = kLeaf;
    for (std::size_t i = 0; i < 2; ++i)
      node(i).seen = {{store(1 - i).device(), address(1 - i), {1}}};
    for (std::size_t i = 0; i < 2; ++i)
      start(i);
  }
  std::uint64_t outcome(std::size_t i, std::string_view name) {
    const auto& gossip = engine(i).counters().gossip;
    const auto it = gossip.find(name);
    return it == gossip.end() ? 0 : it->second;
  }
};

TEST_CASE("by datagram a leaf delivers and gets its scope, once a link has told of it") {
  Pair rig;
  rig.run_for(seconds(20));
  REQUIRE(rig.streams_between(0, 1) == 1);
  rig.dials = false;
  rig.cut(0, 1);
  for (int i = 0; i < 200; ++i)
    static_cast<void>(rig.append(0, {"b" + std::to_string(i % 30), 1}));
  rig.append(0, {"_ebb", 1});
  rig.append(1, {"a", 1});
  rig.run_for(seconds(20));
  CHECK(rig.store(0).events() == 202);
  CHECK(rig.store(1).events() == 2);
  CHECK(rig.outcome(1, "agreed") + rig.outcome(1, "agreed_asked") > 0);
  CHECK(rig.outcome(0, "scopes_unknown") + rig.outcome(1, "scopes_unknown") == 0);
}

TEST_CASE("roots of scopes that are not known say nothing, and are a reason to dial") {
  Rig rig;
  rig.add_node(1);
  const FakeStore other(9);
  rig.node(0).seen = {{other.device(), "far:1", {1}}};
  rig.dials = false;
  rig.start(0);
  DatagramPeer peer(rig, "far:1", other.device());
  peer.connect();
  rig.run_for(seconds(3));
  const auto asked = peer.take<codec::RootDatagram>();
  REQUIRE(asked);
  // All the same but for a scope that node 0 has never heard of.
  codec::RootDatagram answer = *asked;
  answer.answer = true;
  answer.my_scope.data[0] ^= 1;
  const std::size_t dials = rig.node(0).dial_times.size();
  peer.send(answer);
  const auto& gossip = rig.engine(0).counters().gossip;
  CHECK(gossip.at("scopes_unknown") == 1);
  CHECK(!gossip.contains("agreed"));
  rig.run_for(seconds(3));
  CHECK(rig.node(0).dial_times.size() > dials);
}

TEST_CASE("segments beyond our scope that come by datagram are not taken") {
  Rig rig;
  rig.add_node(1);
  rig.node(0).config.scope = kLeaf;
  rig.start(0);
  FakeStore author(9);
  const auto segment = author.append({"a", 1}).own_segments[0];
  DatagramPeer peer(rig, "far:1", author.device());
  peer.connect();
  codec::RootDatagram root = peer.root();
  root.your_scope = {};
  peer.send(root);
  codec::HeadsDatagram heads;
  heads.heads = {{segment.log, 1, {}}};
  peer.send(heads);
  rig.run_for(seconds(5));
  codec::SegmentsDatagram carried;
  carried.keys = {segment.key};
  carried.segments = {*segment.encoded};
  peer.send(carried);
  rig.run_for(seconds(1));
  CHECK(rig.store(0).events() == 0);
  const auto& outcomes = rig.engine(0).counters().datagram_segments;
  CHECK(outcomes.contains("out_of_scope"));
  CHECK(!outcomes.contains("taken"));
}

}  // namespace
}  // namespace ebb::tests
