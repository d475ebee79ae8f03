// Presence records that name addresses where nobody is, or somebody who has nothing to do with the
// mesh: how often those are dialled or asked, whatever is written.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/limits.h"
#include "mesh/dialer.h"
#include "mesh/failed_addresses.h"
#include "mesh/peers.h"
#include "tests/mesh/datagram_peer.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

DeviceId made_up(std::uint32_t number) {
  DeviceId device;
  // Anywhere among all devices, so that draws meet each of them.
  for (std::size_t i = 0; i < 4; ++i)
    device.data.at(i) = static_cast<std::uint8_t>(number * 2654435761U >> (24 - 8 * i));
  device.data[31] = 9;
  return device;
}

mesh::HeldPresence word_of(const DeviceId& device, std::vector<std::string> addresses,
                           std::uint64_t number = 1) {
  mesh::HeldPresence held;
  held.device = device;
  held.said.addresses = std::move(addresses);
  held.said.number = number;
  return held;
}

void tell(Rig& rig, std::vector<mesh::HeldPresence> news) {
  mesh::Committed committed;
  committed.presences = std::move(news);
  rig.input(0, std::move(committed));
}

// A node that knows nobody.
struct Alone : Rig {
  Alone() { add_node(1); }
  std::uint64_t dialled() { return engine(0).counters().presence_dials; }
};

TEST_CASE("who writes one record after the other is not dialled more often for it") {
  std::vector<std::vector<std::string>> says;
  SUBCASE("with one address") { says = {{"victim:1"}}; }
  SUBCASE("with two in turn") { says = {{"victim:1"}, {"victim:2"}}; }
  SUBCASE("with a new one each time") {
    for (int i = 0; i < 3600; ++i)
      says.push_back({"victim" + std::to_string(i) + ":1"});
  }
  Alone rig;
  rig.datagrams = false;
  rig.start(0);
  for (std::size_t i = 0; i < 3600; ++i) {
    tell(rig, {word_of(made_up(1), says[i % says.size()], i + 1)});
    rig.run_for(seconds(1));
  }
  MESSAGE("dials in an hour: " << rig.dialled());
  // With failures forgotten every 10 min: six times what the first ten minutes take.
  CHECK(rig.dialled() <= 6 * 16);
  CHECK(rig.dialled() >= 5);
}

TEST_CASE("an address that a thousand devices name is tried as if one did") {
  Alone rig;
  rig.start(0);
  std::vector<mesh::HeldPresence> news;
  for (std::uint32_t i = 0; i < 1000; ++i)
    news.push_back(word_of(made_up(i), {"victim:1"}));
  tell(rig, std::move(news));
  rig.run_for(seconds(3600));
  MESSAGE("dials " << rig.dialled());
  CHECK(rig.dialled() >= 3);
  CHECK(rig.dialled() <= 25);
  // Nobody has keys.
  CHECK(rig.engine(0).counters().datagrams_out == 0);
}

TEST_CASE("a host of which a thousand devices name a port each is not tried at all of them") {
  Alone rig;
  rig.start(0);
  std::vector<mesh::HeldPresence> news;
  for (std::uint32_t i = 0; i < 1000; ++i)
    news.push_back(word_of(made_up(i), {"victim:" + std::to_string(i + 1)}));
  tell(rig, std::move(news));
  rig.run_for(seconds(3600));
  MESSAGE("dials in an hour: " << rig.dialled());
  CHECK(rig.dialled() <= 40);
}

TEST_CASE("a device that has moved is tried at once, whatever has failed before") {
  Rig rig;
  rig.datagrams = false;
  rig.add_node(1);
  rig.add_node(2);
  rig.start(0);
  rig.start(1);
  const DeviceId device = rig.store(1).device();
  tell(rig, {word_of(device, {"nowhere:1"}, 1)});
  rig.run_for(seconds(4 * 3600));
  REQUIRE(rig.streams_between(0, 1) == 0);
  tell(rig, {word_of(device, {rig.address(1)}, 2)});
  rig.run_for(seconds(10));
  CHECK(rig.streams_between(0, 1) == 1);
}

TEST_CASE("what a presence names and somebody else has told since stays when its dial fails") {
  bool configured = false;
  bool told = false;
  SUBCASE("by nobody") {}
  SUBCASE("by configuration") { configured = true; }
  SUBCASE("by another peer") { told = true; }
  mesh::Context ctx(mesh::Config{}, Rng(1));
  mesh::Effects effects;
  ctx.out = &effects;
  mesh::Target& target = ctx.targets["away:1"];
  target.address = "away:1";
  target.device = made_up(1);
  target.announced = true;
  target.stored = true;
  if (configured) mesh::add_target(ctx, "away:1", std::nullopt, true, false);
  if (told) mesh::learn_peer(ctx, made_up(1), "away:1", false);
  const bool stays = configured || told;
  CHECK(target.stored == !stays);
  mesh::Link link;
  link.id = mesh::LinkId{1};
  link.dialled = true;
  link.address = "away:1";
  target.link = link.id;
  mesh::dialer_link_closed(ctx, link, "refused");
  CHECK(ctx.targets.contains("away:1") == stays);
  CHECK(ctx.presence.failed.knows("away:1") == !stays);
}

TEST_CASE("what presences alone name counts neither as known devices nor as worth a link") {
  mesh::Context ctx(mesh::Config{}, Rng(1));
  mesh::Link link;
  link.peer = made_up(99);
  for (std::uint32_t i = 0; i < 30; ++i) {
    mesh::Target& target = ctx.targets["nowhere" + std::to_string(i) + ":1"];
    target.device = made_up(i);
    target.announced = true;
  }
  CHECK_FALSE(mesh::knows_devices(ctx, 1));
  CHECK_FALSE(mesh::knows_others(ctx, link));
  mesh::add_target(ctx, "nowhere7:1", made_up(7), false, false);
  CHECK(mesh::knows_devices(ctx, 1));
  CHECK_FALSE(mesh::knows_devices(ctx, 2));
  CHECK(mesh::knows_others(ctx, link));
}

TEST_CASE("while our clock is suspect no presence is written, and it is when that is over") {
  Rig rig;
  rig.presences = true;
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.node(0).config.clock_suspect = true;
  rig.start(0);
  rig.start(1);
  rig.run_for(seconds(3600));
  CHECK(rig.node(0).records.empty());
  CHECK(rig.node(1).records.size() == 1);
  rig.input(0, mesh::ClockJudged{false});
  rig.run_for(seconds(1));
  CHECK(rig.node(0).records.size() == 1);
}

TEST_CASE("all addresses of our own are known as such, and the first four are told") {
  Rig rig;
  rig.presences = true;
  rig.add_node(1);
  rig.add_node(2, {0});
  std::vector<std::string> own = {rig.address(0)};
  for (int i = 1; i < 40; ++i)
    own.push_back("own" + std::to_string(i) + ":7000");
  rig.node(0).config.addresses = own;
  rig.start(0);
  rig.start(1);
  rig.run_for(seconds(120));
  REQUIRE(rig.node(0).records.size() == 1);
  const auto said = codec::decode_presence(rig.node(0).records[0].payload);
  REQUIRE(said.ok());
  CHECK(said->addresses == std::vector<std::string>(own.begin(), own.begin() + 4));
  const std::size_t before = rig.node(0).dial_times.size();
  std::vector<mesh::HeldPresence> news;
  for (std::uint32_t i = 0; i < own.size(); ++i) {
    news.push_back(word_of(made_up(i), {own[i]}));
    rig.input(0, mesh::AddPeer{own[i]});
  }
  tell(rig, std::move(news));
  rig.run_for(seconds(3600));
  CHECK(rig.node(0).dial_times.size() == before);
}

TEST_CASE("local addresses are neither told nor dialled by presence where others can be reached") {
  bool local_only = false;
  std::vector<std::string> own;
  bool takes = false;
  SUBCASE("a node that listens on a network") { own = {"192.0.2.1:7000", "127.0.0.1:7000"}; }
  SUBCASE("one that listens on loopback, and may on others") { own = {"127.0.0.1:7000"}; }
  SUBCASE("one of a build for loopback alone, whatever it is told to listen on") {
    own = {"127.0.0.1:7000", "192.0.2.1:7000"};
    local_only = true;
  }
  SUBCASE("one of a build for loopback alone") {
    own = {"127.0.0.1:7000"};
    local_only = true;
    takes = true;
  }
  Alone rig;
  rig.presences = true;
  rig.node(0).config.addresses = own;
  rig.node(0).config.local_only = local_only;
  rig.add_node(2, {0});
  rig.add_node(3);
  rig.start(0);
  rig.start(1);
  rig.run_for(seconds(120));
  REQUIRE(rig.streams_between(0, 1) == 1);
  std::vector<std::string> told;
  if (!rig.node(0).records.empty()) {
    told = codec::decode_presence(rig.node(0).records[0].payload).value().addresses;
  }
  std::vector<std::string> expected;
  for (const std::string& address : own) {
    if (takes || address.starts_with("192")) expected.push_back(address);
  }
  CHECK(told == expected);
  rig.stop(1);
  std::uint32_t number = 0;
  for (const char* address : {"127.0.0.1:22", "[::1]:22", "169.254.169.254:80", "localhost:22",
                              "127.1:22", "[::ffff:127.0.0.1]:22", "0.0.0.0:22"}) {
    tell(rig, {word_of(made_up(++number), {address})});
  }
  rig.run_for(seconds(600));
  CHECK((rig.dialled() > 0) == takes);
}

TEST_CASE("failed addresses rest ever longer, are few, and are forgotten where somebody answers") {
  mesh::FailedAddresses failed;
  Rng rng(1);
  Instant now{1000000};
  Duration last{};
  for (int i = 0; i < 12; ++i) {
    failed.failed("a:1", now, rng);
    Duration rest{};
    while (failed.rests("a:1", now + rest))
      rest = rest + milliseconds(100);
    CHECK(rest >= std::min(seconds(5) * (1 << std::min(i, 10)), seconds(300)));
    CHECK(rest <= std::min(seconds(10) * (1 << std::min(i, 10)), seconds(600)) + milliseconds(100));
    now = now + rest;
    last = rest;
  }
  CHECK(last >= seconds(300));
  CHECK(failed.knows("a:1"));
  failed.failed("a:1", now, rng);
  for (std::size_t i = 0; i < 2 * limits::kPresencesFailed; ++i)
    failed.failed("other" + std::to_string(i) + ":1", now, rng);
  CHECK(failed.size() == limits::kPresencesFailed);
  // Who rests longest is remembered longest.
  CHECK(failed.rests("a:1", now));
  failed.answered("a:1");
  CHECK_FALSE(failed.rests("a:1", now));
  CHECK_FALSE(failed.knows("a:1"));
}

TEST_CASE("where many addresses of one network fail, all of it rests") {
  mesh::FailedAddresses failed;
  Rng rng(1);
  const Instant now{1000000};
  const auto fail = [&](std::uint32_t port) {
    failed.failed("10.0.0.1:" + std::to_string(port), now, rng);
  };
  for (std::uint32_t port = 1; port <= mesh::FailedAddresses::kPerNetwork; ++port) {
    CHECK_FALSE(failed.rests("10.0.0.1:999", now));
    fail(port);
  }
  CHECK(failed.rests("10.0.0.1:999", now));
  CHECK_FALSE(failed.rests("10.0.0.2:999", now));
  CHECK_FALSE(failed.rests("10.0.0.1:999", now + seconds(10)));
  for (std::uint32_t port = 20; port < 30; ++port)
    fail(port);
  CHECK(failed.rests("10.0.0.1:999", now + seconds(299)));
  failed.failed("10.0.0.1:1", now + seconds(5000), rng);
  CHECK_FALSE(failed.rests("10.0.0.1:999", now + seconds(5000)));
  failed.answered("10.0.0.1:1");
  CHECK_FALSE(failed.knows("10.0.0.1:1"));
}

}  // namespace
}  // namespace ebb::tests
