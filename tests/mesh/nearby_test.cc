// Addresses that beacons bring: how often they are dialled, and what becomes of those that mean
// something on one wire alone.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/limits.h"
#include "tests/mesh/raw_peer.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

const std::string kScoped = "[fe80::1%eth0]:7000";
const std::string kScopedToo = "[fe80::2%eth0]:7000";

std::vector<std::string> addresses_of(Rig& rig, std::size_t i, const DeviceId& device) {
  std::vector<std::string> found;
  for (const mesh::KnownPeer& peer : rig.engine(i).peers()) {
    if (peer.device == device) found.push_back(peer.address);
  }
  return found;
}

bool knows(mesh::Engine& engine, std::string_view part) {
  const auto peers = engine.peers();
  return std::any_of(peers.begin(), peers.end(), [part](const mesh::KnownPeer& peer) {
    const bool announced = std::any_of(
        peer.announced.begin(), peer.announced.end(),
        [part](const std::string& each) { return each.find(part) != std::string::npos; });
    return announced || peer.address.find(part) != std::string::npos;
  });
}

// As node 0 has stored it last.
std::string stored(Rig& rig, const DeviceId& device) {
  std::string address;
  for (const mesh::PeerSeen& seen : rig.node(0).seen) {
    if (seen.device == device) address = seen.address;
  }
  return address;
}

// Nodes 0 and 1, of which 1 is heard over the wire; they know no address of their own.
struct Wire : Rig {
  Wire() {
    add_node(1);
    add_node(2);
    node(0).config.advertise.clear();
    node(1).config.advertise.clear();
    aliases[kScoped] = 1;
  }
  void meet() {
    start(0);
    start(1);
    input(0, mesh::AddressHeard{kScoped});
    run_for(seconds(3));
    REQUIRE(streams_between(0, 1) == 1);
  }
  DeviceId far() { return store(1).device(); }
};

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("an address of one wire is told to nobody: no neighbour, no newcomer, no shuffle") {
  Wire rig;
  SUBCASE("who has a link when it becomes known") {
    rig.add_node(3, {0});
    rig.start(2);
  }
  SUBCASE("who comes later") { rig.add_node(3, {0}); }
  SUBCASE("in a mesh that shuffles") {
    for (std::uint8_t i = 0; i < 12; ++i)
      rig.add_node(static_cast<std::uint8_t>(3 + i), {0});
  }
  rig.meet();
  CHECK(addresses_of(rig, 0, rig.far()) == Texts{kScoped});
  for (std::size_t i = 2; i < rig.size(); ++i) {
    if (rig.node(i).engine == nullptr) rig.start(i);
  }
  rig.run_for(seconds(600));
  for (std::size_t i = 1; i < rig.size(); ++i)
    CHECK_FALSE(knows(rig.engine(i), "fe80"));
  // Who gets one leaves it out: in a mesh of three there is nothing else to tell.
  if (rig.size() == 3) CHECK(rig.count(2, "peers").messages_in == 0);
  CHECK(knows(rig.engine(0), kScoped));
}

TEST_CASE("who asks for a shuffle is told no address of one wire") {
  FakeStore store(1);
  mesh::Config config;
  config.known_peers = {{FakeStore(3).device(), kScoped, {1}},
                        {FakeStore(4).device(), "[2001:db8::4]:7", {1}}};
  RawPeer rig(store, 2, config);
  rig.greet();
  rig.forget_received();
  codec::Peers asked;
  asked.shuffle = true;
  asked.peers.push_back({FakeStore(5).device(), "[2001:db8::5]:7"});
  rig.send(asked);
  const auto told = rig.take<codec::Peers>();
  REQUIRE(told);
  CHECK(told->peers.size() == 2);
  for (const codec::PeerAddress& peer : told->peers)
    CHECK(peer.address != kScoped);
}

TEST_CASE("an address of one wire is taken from no peer, whoever it is said to be of") {
  FakeStore store(1);
  RawPeer rig(store, 2);
  rig.greet();
  codec::Peers told;
  told.peers.push_back({FakeStore(2).device(), "[fe80::8]:7"});
  told.peers.push_back({FakeStore(3).device(), "[fe80::9%eth0]:7"});
  told.peers.push_back({FakeStore(4).device(), "[2001:db8::9%eth0]:7"});
  told.peers.push_back({FakeStore(5).device(), "[2001:db8::5]:7"});
  rig.send(told);
  mesh::HeldPresence held;
  held.device = FakeStore(6).device();
  held.said.addresses = {"[fe80::a%eth0]:7", "[2001:db8::6]:7"};
  held.said.number = 1;
  mesh::Committed committed;
  committed.presences = {held};
  rig.input(std::move(committed));
  CHECK(knows(rig.engine(), "[2001:db8::5]:7"));
  CHECK(knows(rig.engine(), "[2001:db8::6]:7"));
  CHECK_FALSE(knows(rig.engine(), "fe80"));
  CHECK_FALSE(knows(rig.engine(), "%"));
}

TEST_CASE("a node whose own address is of one wire tells none, and knows it for its own") {
  Rig rig;
  rig.presences = true;
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.node(0).config.advertise = kScoped;
  rig.node(0).config.addresses = {kScoped};
  rig.node(0).config.presence_stands = seconds(1);
  rig.start(0);
  rig.start(1);
  rig.run_for(seconds(30));
  CHECK(rig.engine(0).links().size() == 1);
  CHECK_FALSE(knows(rig.engine(1), "fe80"));
  CHECK(rig.node(0).records.empty());
  rig.input(0, mesh::AddPeer{kScoped});
  CHECK_FALSE(knows(rig.engine(0), "fe80"));
}

TEST_CASE("an address of one wire stands beside one that holds beyond it, and replaces none") {
  Wire rig;
  SUBCASE("which its device has told") { rig.node(1).config.advertise = rig.address(1); }
  SUBCASE("which was dialled before") {
    rig.node(0).seen = {{rig.far(), rig.address(1), rig.wall()}};
    rig.aliases[rig.address(1)] = rig.size();  // where nobody answers now
  }
  SUBCASE("which only others told") {
    rig.node(0).seen = {{rig.far(), rig.address(1), WallTime{0}}};
    rig.aliases[rig.address(1)] = rig.size();
  }
  rig.meet();
  CHECK(addresses_of(rig, 0, rig.far()) == Texts{kScoped, rig.address(1)});
  CHECK(stored(rig, rig.far()) == rig.address(1));
  // Another one of the wire takes the place of that alone.
  rig.aliases[kScopedToo] = 1;
  rig.cut(0, 1);
  rig.aliases[kScoped] = rig.size();
  rig.input(0, mesh::AddressHeard{kScopedToo});
  rig.run_for(seconds(60));
  REQUIRE(rig.engine(0).links().size() == 1);
  CHECK(stored(rig, rig.far()) == rig.address(1));
  const Texts now = addresses_of(rig, 0, rig.far());
  CHECK(std::count(now.begin(), now.end(), rig.address(1)) == 1);
}

TEST_CASE("a device that is known on the wire alone is kept, and dialled there after a restart") {
  Wire rig;
  rig.meet();
  CHECK(stored(rig, rig.far()) == kScoped);
  rig.stop(0);
  rig.run_for(seconds(5));
  rig.start(0);
  rig.run_for(seconds(5));
  CHECK(rig.engine(0).links().size() == 1);
}

TEST_CASE("however often a neighbour is heard who does not answer, dials follow the back-off") {
  Rig rig;
  rig.add_node(1, {1});
  rig.add_node(2);
  bool linked = false;
  SUBCASE("without any link") {}
  SUBCASE("with another link") { linked = true; }
  rig.start(0);
  if (linked) rig.start(1);
  rig.run_for(seconds(5));
  const std::size_t before = rig.node(0).dial_times.size();
  for (int i = 0; i < 4 * 120; ++i) {
    rig.input(0, mesh::AddressHeard{kScoped});
    rig.run_for(seconds(30));
  }
  std::size_t dials = rig.node(0).dial_times.size() - before;
  MESSAGE("dials in 4 h: " << dials);
  CHECK(dials > 30);
  // One in 150 s on average; while it has no link the configured peer has as many.
  CHECK(dials < (linked ? 150 : 300));
}

TEST_CASE("a neighbour who is full is not dialled more often for being heard") {
  Rig rig;
  rig.add_node(1);
  for (std::size_t i = 1; i <= limits::kOverlayLinks; ++i)
    rig.add_node(static_cast<std::uint8_t>(i + 1), {0});
  for (std::size_t i = 0; i < rig.size(); ++i)
    rig.start(i);
  rig.run_for(seconds(60));
  const std::size_t wants = rig.add_node(100);
  rig.aliases[kScoped] = 0;
  rig.aliases["192.0.2.1:7000"] = 0;
  rig.start(wants);
  for (int i = 0; i < 120; ++i) {
    rig.input(wants, mesh::AddressHeard{kScoped});
    rig.input(wants, mesh::AddressHeard{"192.0.2.1:7000"});
    rig.run_for(seconds(30));
  }
  MESSAGE("dials in an hour: " << rig.node(wants).dial_times.size());
  CHECK(rig.node(wants).dial_times.size() < 40);
}

TEST_CASE("a neighbour of several addresses is found out once, and its link stays") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2);
  const Texts heard = {"192.0.2.1:7000", "198.51.100.1:7000", kScoped, kScopedToo};
  for (const std::string& address : heard)
    rig.aliases[address] = 1;
  rig.start(0);
  rig.start(1);
  for (int i = 0; i < 120; ++i) {
    for (const std::string& address : heard)
      rig.input(0, mesh::AddressHeard{address});
    rig.run_for(seconds(30));
  }
  CHECK(rig.node(0).dial_times.size() <= heard.size());
  CHECK(rig.engine(0).links().size() == 1);
  CHECK(rig.engine(0).links().front().since < Instant{} + seconds(60));
}

}  // namespace ebb::tests
