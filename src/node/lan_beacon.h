// LanBeacon: nodes of a mesh on one local network hear of each other without a peer list.
//
// Model:     tells its port by broadcast (IPv4) and to a multicast group (IPv6, link-local) over
//            each interface that leads to where this node listens, soon after the start and then
//            about each minute, from and to one port that all nodes of a machine share. Where
//            another node of the mesh is heard, on a network of this machine, its address is
//            handed over: it is the packet's sender with the port that the beacon tells.
// Ownership: owns its sockets and timer; `loop` and the counters must outlive it.
// Threads:   not thread-safe; call on the loop thread.
// Errors:    start: kBusy (another program has the port and shares it not), kPermission, kIo, when
//            neither IPv4 nor IPv6 can be had. A socket that cannot be opened is said in the log
//            once and tried again with each beacon, after an error of start() too. What cannot be
//            sent is logged, at most now and then.
// Limits:    limits::kBeaconMs; limits::kBeaconsHeard new addresses a minute are handed over.
// Spec:      docs/wire_format.md section 12
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "channel/beacon.h"
#include "core/limits.h"
#include "core/rng.h"
#include "core/time.h"
#include "node/address.h"
#include "node/beacon_counters.h"
#include "node/local_networks.h"
#include "node/uv_handles.h"

namespace ebb::node {

class LanBeacon {
 public:
  struct Setup {
    channel::AccessKey key;  // AccessKey::for_beacon
    Endpoint bound;          // of links
    std::uint16_t port = limits::kBeaconPort;
    std::function<std::vector<LocalNetwork>()> networks;  // of this machine; asked again and again
    std::function<void(std::string address)> heard;       // of another node; host:port
    BeaconCounters& counters;                             // must outlive it
    Duration pause = milliseconds(limits::kBeaconMs);     // between two beacons, at most
  };
  LanBeacon(uv_loop_t* loop, Setup setup, Rng rng);
  LanBeacon(const LanBeacon&) = delete;
  LanBeacon& operator=(const LanBeacon&) = delete;

  Status start();
  void stop();

 private:
  static constexpr std::size_t kLargest = 2048;  // datagrams that are looked at
  // Of one family.
  struct Socket {
    const char* family;
    bool wanted = false;
    bool told = false;  // that it cannot be opened
    HandlePtr<uv_udp_t> udp = nullptr;
  };

  Result<HandlePtr<uv_udp_t>> open(const Endpoint& at, unsigned flags);
  std::optional<Error> open_missing(Socket& socket);
  void say_missing(Socket& socket, const std::optional<Error>& error);
  void look_around();
  bool join_or_leave(unsigned wire, int what);
  void tell();
  void send(const BeaconRoute& route, Bytes& bytes);
  void on_datagram(ByteView bytes, const sockaddr* from);
  bool comes_from_near(const Endpoint& sender);
  bool is_news(const std::string& address);

  uv_loop_t* loop_;
  Setup setup_;
  Rng rng_;
  Timer timer_;
  Socket v4_{"IPv4"}, v6_{"IPv6"};
  std::vector<LocalNetwork> networks_;
  std::uint64_t looked_at_ = 0;  // of the loop's clock, in ms
  std::set<unsigned> joined_;    // interfaces, of the group
  std::set<channel::BeaconNonce> own_;
  std::set<std::string> handed_over_;  // since forget_at_
  std::uint64_t forget_at_ = 0;        // of the loop's clock, in ms
  std::array<char, kLargest> buffer_{};
};

}  // namespace ebb::node
