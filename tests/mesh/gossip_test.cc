// Gossip by datagram: differences settled without a link, and when one is made.
#include <doctest/doctest.h>

#include <variant>

#include "codec/datagram.h"
#include "tests/mesh/datagram_peer.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

// Two nodes that know each other and cannot be dialled.
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
  void start_both() {
    start(0);
    start(1);
  }
  bool agree() { return engine(0).root() == engine(1).root(); }
};

TEST_CASE("a node that seldom wakes delivers and is brought up to date by datagrams alone") {
  Unlinked rig;
  for (int i = 0; i < 5; ++i)
    static_cast<void>(rig.store(1).append({"b", 2}));
  rig.start(1);
  rig.run_for(seconds(100));
  static_cast<void>(rig.store(0).append({"a", 3}));
  rig.start(0);
  rig.run_for(seconds(2));
  CHECK(rig.store(1).events() == 13);
  CHECK(rig.store(0).events() == 13);
  CHECK(rig.agree());
  CHECK(rig.streams_between(0, 1) == 0);
}

TEST_CASE("after a first agreement only what changed is told") {
  Unlinked rig;
  for (int i = 0; i < 40; ++i)
    static_cast<void>(rig.store(0).append({"t" + std::to_string(i % 20), 1}));
  rig.start_both();
  rig.run_for(seconds(20));
  REQUIRE(rig.agree());
  std::size_t listed = 0;
  rig.on_datagram = [&listed](std::size_t, const std::string&, const Bytes& bytes) {
    const auto datagram = codec::decode_datagram(bytes);
    if (!datagram.ok()) return true;
    const auto* heads = std::get_if<codec::HeadsDatagram>(&datagram->body);
    if (heads != nullptr) listed += heads->heads.size();
    return true;
  };
  rig.append(0, {"t3", 1});
  rig.run_for(seconds(5));
  CHECK(rig.agree());
  CHECK(listed >= 1);
  CHECK(listed <= 4);
}

TEST_CASE("a quarter of the datagrams may be lost: it settles all the same") {
  Unlinked rig;
  Rng loss(7);
  rig.on_datagram = [&loss](std::size_t, const std::string&, const Bytes&) {
    return !loss.chance(1, 4);
  };
  for (int i = 0; i < 10; ++i)
    static_cast<void>(rig.store(0).append({"a", 2, 200}));
  rig.start_both();
  rig.run_for(seconds(120));
  CHECK(rig.agree());
  CHECK(rig.store(1).events() == 20);
}

TEST_CASE("a device that answers no datagram is dialled, and no more often than by back-off") {
  Unlinked rig;
  rig.start(0);
  rig.run_for(seconds(4 * 3600));
  CHECK(rig.engine(0).counters().gossip.at("silent") > 1000);
  CHECK(rig.node(0).dial_times.size() > 30);
  CHECK(rig.node(0).dial_times.size() < 200);
}

TEST_CASE("a segment that no datagram can carry is fetched over a link") {
  Unlinked rig;
  static_cast<void>(rig.store(0).append({"a", 1, 3000}));
  rig.start_both();
  rig.run_for(seconds(30));
  CHECK(rig.store(1).events() == 0);
  CHECK(!rig.node(1).dial_times.empty());
  rig.dials = true;
  rig.run_for(seconds(60));
  CHECK(rig.store(1).events() == 1);
}

TEST_CASE("in a mesh that writes all the time roots that differ are no reason to dial") {
  Rig rig;
  // Each has two links, and none to the node opposite.
  for (std::uint8_t i = 0; i < 4; ++i)
    rig.add_node(static_cast<std::uint8_t>(i + 1), {(i + 1U) % 4});
  rig.parted = [](std::size_t a, std::size_t b) { return (a + b) % 2 == 0; };
  for (std::size_t i = 0; i < 4; ++i) {
    mesh::PeerSeen opposite;
    opposite.device = rig.store((i + 2) % 4).device();
    opposite.address = rig.address((i + 2) % 4);
    opposite.heard = {1};
    rig.node(i).seen = {opposite};
    rig.start(i);
  }
  rig.run_for(seconds(10));
  REQUIRE(rig.engine(0).links().size() == 2);
  // Datagrams pass, and dials do not.
  rig.parted = nullptr;
  rig.dials = false;
  for (int i = 0; i < 6000; ++i) {
    rig.append(static_cast<std::size_t>(i) % 4, {"a", 1});
    rig.run_for(milliseconds(100));
  }
  std::uint64_t young = 0;
  std::uint64_t dialled = 0;
  for (std::size_t i = 0; i < 4; ++i) {
    const auto& outcomes = rig.engine(i).counters().gossip;
    if (outcomes.contains("young")) young += outcomes.at("young");
    for (const char* each : {"different", "too_much", "silent"})
      dialled += outcomes.contains(each) ? outcomes.at(each) : 0;
  }
  CHECK(young > 0);
  CHECK(dialled == 0);
}

TEST_CASE("a peer that was configured by name is settled with from where it speaks") {
  Rig rig;
  rig.add_node(1);
  rig.node(0).config.peers = {"name.local:7000"};
  rig.dials = false;
  rig.start(0);
  FakeStore other(9);
  DatagramPeer peer(rig, "name.local:7000", other.device());
  rig.run_for(seconds(2));
  const auto asked = peer.take<codec::RootDatagram>();
  REQUIRE(asked);
  DatagramPeer number(rig, "10.0.0.9:7000", other.device());
  number.echo = asked->cookie;
  codec::CookieDatagram wanted;
  wanted.cookie.data[0] = 7;
  number.send(wanted);
  const auto again = number.take<codec::RootDatagram>();
  REQUIRE(again);
  CHECK(again->cookie != asked->cookie);
  CHECK(rig.engine(0).gossip_partners() == 1);
  number.echo = again->cookie;
  codec::RootDatagram answer = number.root();
  answer.answer = true;
  number.send(answer);
  CHECK(number.take<codec::HeadsDatagram>());
  // The address that was configured is known to be that device's.
  REQUIRE(rig.engine(0).peers().size() == 1);
  CHECK(rig.engine(0).peers()[0].device == other.device());
}

}  // namespace
}  // namespace ebb::tests
