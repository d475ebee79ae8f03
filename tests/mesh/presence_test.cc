// Presence records: when a node writes one, and what it makes of those of others.
#include "mesh/presence.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/limits.h"
#include "tests/mesh/datagram_peer.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

codec::Presence said_in(const mesh::WriteRecord& record) {
  CHECK(record.type == codec::kPresenceType);
  auto said = codec::decode_presence(record.payload);
  REQUIRE(said.ok());
  return std::move(said).value();
}

// What some device of no store says, as a commit would tell it.
mesh::HeldPresence word_of(std::uint8_t first, std::uint8_t second,
                           std::vector<std::string> addresses) {
  mesh::HeldPresence held;
  held.device.data[0] = first;
  held.device.data[1] = second;
  held.device.data[31] = 9;
  held.said.addresses = std::move(addresses);
  return held;
}

void tell(Rig& rig, std::size_t i, std::vector<mesh::HeldPresence> news) {
  mesh::Committed committed;
  committed.presences = std::move(news);
  rig.input(i, std::move(committed));
}

// Two nodes that say where they are, one of which knows the other.
struct Two : Rig {
  Two() {
    presences = true;
    add_node(1);
    add_node(2, {0});
    start(0);
    start(1);
  }
};

// Node 0 is the seed that both others know; they are never there at the same time.
void meet_in_turn(Rig& rig) {
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.add_node(3, {0});
  rig.start(0);
  rig.start(1);
  rig.run_for(seconds(120));
  REQUIRE(rig.streams_between(0, 1) == 1);
  rig.stop(1);
  rig.run_for(seconds(3600));
  rig.start(2);
  rig.run_for(seconds(60));
  REQUIRE(rig.streams_between(0, 2) == 1);
  rig.stop(0);
  rig.run_for(seconds(60));
  rig.start(1);
}

TEST_CASE("a node says once where it is, and not again at its next start") {
  Rig rig;
  rig.presences = true;
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.node(1).config.metered = true;
  for (int start = 0; start < 3; ++start) {
    rig.start(0);
    rig.start(1);
    rig.run_for(seconds(24 * 3600));
    rig.stop(0);
    rig.stop(1);
  }
  for (std::size_t i = 0; i < 2; ++i) {
    REQUIRE(rig.node(i).records.size() == 1);
    const codec::Presence said = said_in(rig.node(i).records[0]);
    CHECK(said.addresses == std::vector<std::string>{rig.address(i)});
    CHECK(said.budget_class == i);
    CHECK(said.number == 1);
    CHECK(rig.store(i).presences().size() == 2);
    const auto& segments = rig.store(i).segments(rig.store(i).own_log(kControlTopic));
    REQUIRE(segments.size() == 1);
    CHECK(segments[0].encoded->size() <= 300);
  }
}

TEST_CASE("without a link nothing is said, for nobody would read it") {
  Rig rig;
  rig.presences = true;
  rig.add_node(1, {1});
  rig.add_node(2);  // never started
  rig.start(0);
  rig.run_for(seconds(24 * 3600));
  CHECK(rig.node(0).records.empty());
}

TEST_CASE("an address that changes again and again is said rarely, or never") {
  Two rig;
  rig.run_for(seconds(3600));
  REQUIRE(rig.node(0).records.size() == 1);
  const auto change_every = [&rig](Duration pause, Duration total) {
    for (std::int64_t i = 0; i < total.us / pause.us; ++i) {
      rig.input(0, mesh::AddressesChanged{{"moved" + std::to_string(i % 2) + ":7000"}});
      rig.run_for(pause);
    }
  };
  change_every(seconds(59), seconds(24 * 3600));
  CHECK(rig.node(0).records.size() == 1);
  rig.input(0, mesh::AddressesChanged{{rig.address(0)}});
  rig.run_for(seconds(3600));
  CHECK(rig.node(0).records.size() == 1);
  change_every(seconds(90), seconds(24 * 3600));
  CHECK(rig.node(0).records.size() > 50);
  CHECK(rig.node(0).records.size() <= 1 + 144);
  rig.input(0, mesh::AddressesChanged{{"home:7000", "no address", "home:7001"}});
  rig.run_for(seconds(3600));
  CHECK(said_in(rig.node(0).records.back()).addresses ==
        std::vector<std::string>{"home:7000", "home:7001"});
  CHECK(said_in(rig.node(0).records.back()).number == rig.node(0).records.size());
}

TEST_CASE("the pause between two records goes on over a restart") {
  Two rig;
  rig.run_for(seconds(70));
  REQUIRE(rig.node(0).records.size() == 1);
  for (int i = 0; i < 40; ++i) {
    rig.stop(0);
    rig.node(0).config.addresses = {"other" + std::to_string(i) + ":7000"};
    rig.start(0);
    rig.run_for(seconds(20));
  }
  // 13 min have passed, and no address has stood for one.
  CHECK(rig.node(0).records.size() == 1);
  rig.run_for(seconds(60));
  REQUIRE(rig.node(0).records.size() == 2);
  CHECK(said_in(rig.node(0).records[1]).addresses == std::vector<std::string>{"other39:7000"});
}

TEST_CASE("a node that peers show to be set back says nothing before its new incarnation") {
  Two rig;
  rig.append(0);
  rig.append(0);
  rig.run_for(seconds(900));
  REQUIRE(rig.node(0).records.size() == 1);
  rig.stop(0);
  rig.store(0).roll_back(rig.store(0).own_log("events"), 1);
  rig.node(0).config.addresses = {"other:7000"};
  rig.start(0);
  rig.run_for(seconds(900));
  CHECK(rig.engine(0).counters().rollbacks_found == 1);
  CHECK(rig.node(0).records.size() == 1);
  rig.input(0, rig.store(0).begin_anew(2));
  rig.run_for(seconds(900));
  CHECK(rig.node(0).records.size() == 2);
}

TEST_CASE("two nodes that know one seed, and met it in turn, find each other when it is gone") {
  Rig rig;
  rig.presences = true;
  meet_in_turn(rig);
  int waited_s = 0;
  for (; waited_s < 900 && rig.streams_between(1, 2) == 0; ++waited_s)
    rig.run_for(seconds(1));
  MESSAGE("found after " << waited_s << " s");
  // The dials before it was back have failed, and put off the next.
  CHECK(waited_s <= 300);
  rig.run_for(seconds(10));
  CHECK(rig.streams_between(1, 2) == 1);
  CHECK(rig.engine(2).counters().presence_dials >= 1);
  rig.append(1);
  rig.run_for(seconds(1));
  CHECK(rig.store(2).events() == rig.store(1).events());
}

TEST_CASE("without presences those two do not find each other in a day") {
  Rig rig;
  meet_in_turn(rig);
  rig.run_for(seconds(24 * 3600));
  CHECK(rig.streams_between(1, 2) == 0);
}

TEST_CASE("a device with keys of which only its presence says where it is is asked there") {
  Rig rig;
  rig.dials = false;
  rig.add_node(1);
  rig.start(0);
  const FakeStore other(9);
  DatagramPeer peer(rig, "far:1", other.device());
  peer.connect();
  rig.run_for(seconds(5));
  CHECK(peer.came.empty());
  mesh::HeldPresence held = word_of(0, 0, {"far:1"});
  held.device = other.device();
  tell(rig, 0, {held});
  rig.run_for(seconds(30));
  CHECK(peer.take<codec::RootDatagram>());
}

TEST_CASE("addresses that are none, our own, or known otherwise are not dialled by presence") {
  Rig rig;
  rig.add_node(1, {1});
  rig.add_node(2);
  rig.start(0);
  rig.start(1);
  rig.run_for(seconds(10));
  REQUIRE(rig.streams_between(0, 1) == 1);
  mesh::HeldPresence own = word_of(0, 0, {"of-us:1"});
  own.device = rig.store(0).device();
  tell(rig, 0,
       {own, word_of(1, 1, {"", "no address", "a:0", "::1:7401", "a b:1"}),
        word_of(1, 2, {rig.address(0)}), word_of(1, 3, {rig.address(1)}), word_of(1, 4, {})});
  rig.run_for(seconds(3600));
  CHECK(rig.engine(0).counters().presence_dials == 0);
  CHECK(rig.engine(0).presences() == 4);
  // Whose address it is stays as it was.
  for (const mesh::KnownPeer& peer : rig.engine(0).peers()) {
    if (peer.address == rig.address(1) && peer.configured) {
      CHECK(peer.device == rig.store(1).device());
    }
  }
}

TEST_CASE("any number of presences that lead nowhere take bounded memory and few dials") {
  Rig rig;
  rig.add_node(1);
  rig.start(0);
  std::vector<mesh::HeldPresence> news;
  for (std::size_t i = 0; i < limits::kPresences + 2000; ++i) {
    news.push_back(word_of(static_cast<std::uint8_t>(i % 256), static_cast<std::uint8_t>(i / 256),
                           {"nowhere" + std::to_string(i) + ":7000"}));
  }
  tell(rig, 0, std::move(news));
  CHECK(rig.engine(0).presences() == limits::kPresences);
  CHECK(rig.engine(0).peers().size() == limits::kPresencesListed);
  rig.run_for(seconds(3600));
  // One a second, as without a link any address may be the one.
  CHECK(rig.engine(0).counters().presence_dials <= 3700);
  CHECK(rig.engine(0).counters().presence_dials >= 1000);
  CHECK(rig.engine(0).peers().size() <=
        limits::kPresencesListed + limits::kPresencesTried + limits::kGossipPartners);
}

TEST_CASE("a device that never answers at its presence is tried more and more rarely") {
  Rig rig;
  rig.datagrams = false;
  rig.add_node(1);
  rig.start(0);
  tell(rig, 0, {word_of(1, 1, {"nowhere:1", "nowhere:2"})});
  rig.run_for(seconds(4 * 3600));
  CHECK(rig.engine(0).counters().presence_dials > 20);
  CHECK(rig.engine(0).counters().presence_dials < 250);
}

TEST_CASE("who pays for bytes is dialled by its presence after those who do not") {
  for (std::uint8_t seed = 1; seed <= 8; ++seed) {
    Rig rig;
    rig.add_node(seed);
    rig.add_node(static_cast<std::uint8_t>(seed + 10));
    rig.add_node(static_cast<std::uint8_t>(seed + 20));
    std::vector<mesh::HeldPresence> news;
    for (std::size_t i = 0; i < 3; ++i) {
      rig.start(i);
      if (i == 0) continue;
      news.push_back(word_of(0, 0, {rig.address(i)}));
      news.back().device = rig.store(i).device();
      news.back().said.budget_class = i == 1 ? 1 : 0;
    }
    tell(rig, 0, news);
    const auto dialled = [&rig] {
      return rig.streams_between(0, 1) + rig.streams_between(0, 2) > 0;
    };
    for (int i = 0; i < 100 && !dialled(); ++i)
      rig.run_for(milliseconds(50));
    CHECK(rig.streams_between(0, 2) == 1);
    CHECK(rig.streams_between(0, 1) == 0);
    rig.run_for(seconds(60));
    CHECK(rig.streams_between(0, 1) == 1);
    const std::vector<mesh::KnownPeer> peers = rig.engine(0).peers();
    const auto metered = std::find_if(peers.begin(), peers.end(),
                                      [](const mesh::KnownPeer& peer) { return peer.metered; });
    REQUIRE(metered != peers.end());
    CHECK(metered->device == rig.store(1).device());
    CHECK(metered->announced == std::vector<std::string>{rig.address(1)});
  }
}

}  // namespace
}  // namespace ebb::tests
