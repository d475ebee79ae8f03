#include "node/lan_beacon.h"

#include <doctest/doctest.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tests/channel/ends.h"
#include "tests/udp_sender.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::node;
using ebb::tests::kMesh;
using ebb::tests::kMeshSecret;

namespace {

using Networks = std::vector<LocalNetwork>;

constexpr std::uint32_t kMask8 = 0xff000000;

// As if loopback were a network like others.
Networks loopback() { return {{"lo", false, *literal_endpoint({"127.0.0.1", 0}), kMask8}}; }

// Beacons of one machine, which tell them to its loopback network, or to what a test says.
class Neighbours {
 public:
  explicit Neighbours(Networks networks_in = loopback()) : networks(std::move(networks_in)) {
    REQUIRE(trust::crypto_ready().ok());
    loop_ = std::move(*Loop::open());
    port_ = free_port();
  }
  ~Neighbours() {
    for (auto& each : beacons_)
      each->beacon->stop();
  }

  struct One {
    std::vector<std::string> heard;
    BeaconCounters counters;
    std::unique_ptr<LanBeacon> beacon;
  };
  One& add(std::uint16_t listens, const MeshId& mesh = kMesh, const std::string& host = "0.0.0.0") {
    One& one = make(listens, mesh, host);
    REQUIRE(one.beacon->start().ok());
    return one;
  }
  // Not started.
  One& make(std::uint16_t listens, const MeshId& mesh = kMesh,
            const std::string& host = "0.0.0.0") {
    auto& one = *beacons_.emplace_back(std::make_unique<One>());
    LanBeacon::Setup setup{channel::AccessKey::for_beacon(mesh, kMeshSecret),
                           *literal_endpoint({host, listens}),
                           port_,
                           [this] { return networks; },
                           [&one](std::string address) { one.heard.push_back(std::move(address)); },
                           one.counters};
    setup.pause = pause;
    one.beacon = std::make_unique<LanBeacon>(loop_->get(), std::move(setup), Rng(listens));
    return one;
  }
  // Somebody else's beacon.
  Bytes beacon_of(std::uint16_t listens) {
    channel::Beacon beacon;
    beacon.nonce.data.fill(static_cast<std::uint8_t>(listens));
    beacon.port = listens;
    return write_beacon(channel::AccessKey::for_beacon(kMesh, kMeshSecret), beacon);
  }

  template <class Condition>
  void run_until(Condition condition) {
    bool late = false;
    Timer limit(loop_->get(), [&late] { late = true; });
    limit.start(seconds(30));
    while (!condition() && !late)
      uv_run(loop_->get(), UV_RUN_ONCE);
    CHECK_FALSE(late);
  }
  std::uint16_t port() const { return port_; }

  Networks networks;
  Duration pause = milliseconds(limits::kBeaconMs);

 private:
  static std::uint16_t free_port() {
    tests::UdpSender any("127.0.0.1");
    return any.port();
  }

  std::unique_ptr<Loop> loop_;
  std::uint16_t port_ = 0;
  std::vector<std::unique_ptr<One>> beacons_;
};

std::string at(std::uint16_t port) { return "127.0.0.1:" + std::to_string(port); }

}  // namespace

TEST_CASE("nodes of one mesh hear each other, not themselves, and none of another mesh") {
  Neighbours net;
  auto& one = net.add(7001);
  auto& two = net.add(7002);
  auto& other = net.add(7003, *MeshId::from(as_bytes("another mesh 16b")));
  net.run_until([&] {
    return !one.heard.empty() && !two.heard.empty() && other.counters.refused >= 2 &&
           one.counters.refused >= 1 && two.counters.refused >= 1;
  });
  CHECK(one.heard == std::vector<std::string>{at(7002)});
  CHECK(two.heard == std::vector<std::string>{at(7001)});
  CHECK(other.heard.empty());
  CHECK(one.counters.sent == 1);
  CHECK(one.counters.heard == 1);
}

TEST_CASE("repeated beacons are no news, and of a flood of addresses few are handed over") {
  Neighbours net;
  auto& one = net.add(7001);
  tests::UdpSender sender("127.0.0.1");
  const auto tell = [&](std::uint16_t port) { sender.send(at(net.port()), net.beacon_of(port)); };
  tell(8000);
  tell(8000);
  net.run_until([&] { return !one.heard.empty(); });
  for (std::uint16_t i = 0; i < 2 * limits::kBeaconsHeard; ++i)
    tell(static_cast<std::uint16_t>(9000 + i));
  sender.send(at(net.port()), to_bytes(as_bytes("no beacon")));
  net.run_until([&] { return one.counters.refused == 1; });
  CHECK(one.heard.size() == limits::kBeaconsHeard);
  CHECK(one.heard.front() == at(8000));
  CHECK(one.heard[1] == at(9000));
}

TEST_CASE("a beacon from beyond the networks of this machine is refused, however right it is") {
  Neighbours net;
  tests::UdpSender sender("127.0.0.1");
  SUBCASE("another network") {
    net.networks = {{"made0", false, *literal_endpoint({"203.0.113.7", 0}), 0xffffff00}};
  }
  SUBCASE("loopback") { net.networks.front().internal = true; }
  SUBCASE("none at all") { net.networks.clear(); }
  auto& one = net.add(7001);
  sender.send(at(net.port()), net.beacon_of(8000));
  net.run_until([&] { return one.counters.refused == 1; });
  CHECK(one.heard.empty());
  CHECK(one.counters.heard == 0);
}

TEST_CASE("a socket that another program keeps from it is tried again with each beacon") {
  Neighbours net;
  net.pause = milliseconds(100);
  auto holder = std::make_unique<tests::UdpSender>("0.0.0.0", net.port());
  auto& one = net.make(7001);
  const Status begun = one.beacon->start();
  REQUIRE_FALSE(begun.ok());
  CHECK(begun.error().code == ErrorCode::kBusy);
  holder.reset();
  auto& two = net.add(7002);
  net.run_until([&] { return !one.heard.empty() && !two.heard.empty(); });
  CHECK(one.heard == std::vector<std::string>{at(7002)});
  CHECK(two.heard == std::vector<std::string>{at(7001)});
}

namespace {

// The first interface of this machine with a link-local address: beacons sent to the group over it
// come back to the sockets of the machine.
std::optional<LocalNetwork> wire() {
  for (const LocalNetwork& network : local_networks()) {
    if (!beacon_wires({network}).empty()) return network;
  }
  return std::nullopt;
}

std::string on_wire(const LocalNetwork& wire, std::uint16_t port) {
  Endpoint endpoint = wire.address;
  endpoint.set_port(port);
  return endpoint.text();
}

// How many sockets have joined the group over it, as the system says.
int joined(const LocalNetwork& wire) {
  std::ifstream table("/proc/net/igmp6");
  unsigned index = 0;
  std::string interface;
  std::string group;
  int users = 0;
  for (std::string rest; table >> index >> interface >> group >> users; std::getline(table, rest)) {
    if (interface == wire.interface && group == "ff120000000000000000000000000ebb") return users;
  }
  return 0;
}

bool has_no_wire() { return !wire(); }

}  // namespace

// Those below need an interface with a link-local IPv6 address, and say so in the list of skips.

TEST_CASE("over IPv6 nodes hear each other by the group (interface with a link-local address)" *
          doctest::skip(has_no_wire())) {
  Neighbours net({*wire()});
  auto& one = net.add(7001, kMesh, "::");
  auto& two = net.add(7002, kMesh, "::");
  net.run_until([&] { return !one.heard.empty() && !two.heard.empty(); });
  CHECK(one.heard == std::vector<std::string>{on_wire(*wire(), 7002)});
  CHECK(two.heard == std::vector<std::string>{on_wire(*wire(), 7001)});
  // As it is handed over it can be dialled: it names the interface.
  CHECK(one.heard.front().find("%" + wire()->interface + "]:7002") != std::string::npos);
  const auto parsed = parse_host_port(one.heard.front());
  REQUIRE(parsed.ok());
  REQUIRE(literal_endpoint(*parsed));
  CHECK(literal_endpoint(*parsed)->text() == one.heard.front());
}

TEST_CASE("an interface that went and came is joined anew (interface with a link-local address)" *
          doctest::skip(has_no_wire())) {
  const LocalNetwork over = *wire();
  const int before = joined(over);
  Neighbours net({over});
  net.pause = milliseconds(100);
  auto& one = net.add(7001, kMesh, "::");
  net.run_until([&] { return joined(over) == before + 1; });
  net.networks = loopback();
  net.run_until([&] { return joined(over) == before; });
  net.networks = {over};
  net.run_until([&] { return joined(over) == before + 1; });
  auto& two = net.add(7002, kMesh, "::");
  net.run_until([&] { return !one.heard.empty() && !two.heard.empty(); });
}

TEST_CASE("IPv6 goes on where IPv4's port is taken, until it is free (link-local address)" *
          doctest::skip(has_no_wire())) {
  Neighbours net({*wire(), loopback().front()});
  net.pause = milliseconds(100);
  auto holder = std::make_unique<tests::UdpSender>("0.0.0.0", net.port());
  auto& one = net.add(7001, kMesh, "::");
  auto& two = net.add(7002, kMesh, "::");
  net.run_until([&] { return !one.heard.empty() && !two.heard.empty(); });
  CHECK(one.heard == std::vector<std::string>{on_wire(*wire(), 7002)});
  holder.reset();
  net.run_until([&] { return one.heard.size() == 2 && two.heard.size() == 2; });
  CHECK(one.heard[1] == at(7002));
}

TEST_CASE("IPv4 goes on where IPv6's port is taken (interface with a link-local address)" *
          doctest::skip(has_no_wire())) {
  Neighbours net({*wire(), loopback().front()});
  net.pause = milliseconds(100);
  auto holder = std::make_unique<tests::UdpSender>("::", net.port());
  auto& one = net.add(7001, kMesh, "::");
  auto& two = net.add(7002, kMesh, "::");
  net.run_until([&] { return !one.heard.empty() && !two.heard.empty(); });
  CHECK(one.heard == std::vector<std::string>{at(7002)});
  holder.reset();
  net.run_until([&] { return one.heard.size() == 2 && two.heard.size() == 2; });
  CHECK(one.heard[1] == on_wire(*wire(), 7002));
}
