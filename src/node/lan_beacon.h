// LanBeacon: nodes of a mesh on one local network hear of each other without a peer list.
//
// Model:     tells its port by broadcast (IPv4) and to a multicast group (IPv6, link-local) over
//            each interface that leads to where this node listens, soon after the start and then
//            about each minute, from and to one port that all nodes of a machine share. Where
//            another node of the mesh is heard, its address is handed over: it is the packet's
//            sender with the port that the beacon tells.
// Ownership: owns its sockets and timer; `loop` must outlive it.
// Threads:   not thread-safe; call on the loop thread.
// Errors:    start: kBusy (another program has the port and shares it not), kPermission, kIo. What
//            cannot be sent is logged, at most now and then.
// Limits:    limits::kBeaconMs; limits::kBeaconsHeard new addresses a minute are handed over.
// Spec:      docs/wire_format.md section 12
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "channel/beacon.h"
#include "core/limits.h"
#include "core/rng.h"
#include "node/address.h"
#include "node/beacon_counters.h"
#include "node/uv_handles.h"

namespace ebb::node {

// Where a beacon is sent, and over which interface.
struct BeaconRoute {
  std::string interface;
  Endpoint to;
  auto key() const { return interface + " " + to.text(); }
};
// Of the interfaces that are up, loopback ones left out, those that lead to who is bound to
// `bound`: the broadcast address of each IPv4 network, and over IPv6 the group.
std::vector<BeaconRoute> beacon_routes(const Endpoint& bound, std::uint16_t beacon_port);

class LanBeacon {
 public:
  struct Setup {
    channel::AccessKey key;  // AccessKey::for_beacon
    Endpoint bound;          // of links
    std::uint16_t port = limits::kBeaconPort;
    std::function<std::vector<BeaconRoute>()> routes;  // asked before each beacon
    std::function<void(std::string address)> heard;    // of another node; host:port
    BeaconCounters& counters;                          // must outlive it
  };
  LanBeacon(uv_loop_t* loop, Setup setup, Rng rng);
  LanBeacon(const LanBeacon&) = delete;
  LanBeacon& operator=(const LanBeacon&) = delete;

  Status start();
  void stop();

 private:
  static constexpr std::size_t kLargest = 2048;  // datagrams that are looked at
  Result<HandlePtr<uv_udp_t>> open(const Endpoint& at, unsigned flags);
  void tell();
  void send(const BeaconRoute& route, Bytes& bytes);
  void on_datagram(ByteView bytes, const sockaddr* from);
  bool is_news(const std::string& address);

  uv_loop_t* loop_;
  Setup setup_;
  Rng rng_;
  Timer timer_;
  HandlePtr<uv_udp_t> v4_, v6_;
  std::set<std::string> joined_;  // interfaces, of the group
  std::set<channel::BeaconNonce> own_;
  std::set<std::string> handed_over_;  // since forget_at_
  std::uint64_t forget_at_ = 0;        // of the loop's clock, in ms
  std::array<char, kLargest> buffer_{};
};

}  // namespace ebb::node
