#include "node/lan_beacon.h"

#include <doctest/doctest.h>

#include <memory>
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

// Beacons of one machine, which tell them to its loopback network.
class Neighbours {
 public:
  Neighbours() {
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
  One& add(std::uint16_t listens, const MeshId& mesh = kMesh) {
    Endpoint bound = *literal_endpoint({"0.0.0.0", listens});
    auto& one = *beacons_.emplace_back(std::make_unique<One>());
    const std::uint16_t port = port_;
    one.beacon = std::make_unique<LanBeacon>(
        loop_->get(),
        LanBeacon::Setup{
            channel::AccessKey::for_beacon(mesh, kMeshSecret), bound, port,
            [port] {
              return std::vector<BeaconRoute>{{"lo", *literal_endpoint({"127.255.255.255", port})}};
            },
            [&one](std::string address) { one.heard.push_back(std::move(address)); }, one.counters},
        Rng(listens));
    REQUIRE(one.beacon->start().ok());
    return one;
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
  const auto key = channel::AccessKey::for_beacon(kMesh, kMeshSecret);
  tests::UdpSender sender("127.0.0.1");
  const auto tell = [&](std::uint16_t port) {
    channel::Beacon beacon;
    beacon.nonce.data.fill(static_cast<std::uint8_t>(port));
    beacon.port = port;
    sender.send(at(net.port()), write_beacon(key, beacon));
  };
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

TEST_CASE(
    "routes lead over interfaces that are no loopback, and over the one that is listened on") {
  for (const BeaconRoute& route : beacon_routes(*literal_endpoint({"0.0.0.0", 7401}), 7402)) {
    CHECK_FALSE(route.to.is_loopback());
    CHECK(route.to.port() == 7402);
    CHECK(route.to.storage.ss_family == AF_INET);
  }
  CHECK(beacon_routes(*literal_endpoint({"192.0.2.1", 7401}), 7402).empty());
}
