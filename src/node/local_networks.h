// LocalNetworks: which networks this machine is on. Where a beacon goes, and whether one came from
// next to here.
//
// Threads: local_networks asks the system each time, on any thread; the others are pure.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "node/address.h"

namespace ebb::node {

// An address of an interface that is up; a port of it means nothing.
struct LocalNetwork {
  std::string interface;
  bool internal = false;   // loopback
  Endpoint address;        // link-local ones of IPv6 with the interface's index
  std::uint32_t mask = 0;  // of an IPv4 address, in host order
};
// What the system says; empty when it says nothing.
std::vector<LocalNetwork> local_networks();

// Where a beacon is sent, and over which interface.
struct BeaconRoute {
  std::string interface;
  Endpoint to;
};
// Of the networks, loopback ones left out, those that lead to who is bound to `bound`: the
// broadcast address of each IPv4 network, and over each interface with a link-local address the
// IPv6 group.
std::vector<BeaconRoute> beacon_routes(const std::vector<LocalNetwork>& networks,
                                       const Endpoint& bound, std::uint16_t beacon_port);
// The group that IPv6 beacons are sent to, without an interface.
Endpoint beacon_group(std::uint16_t beacon_port);
// The interfaces over which it is heard, by index: one that went and came under the same name has
// another.
std::set<unsigned> beacon_wires(const std::vector<LocalNetwork>& networks);

// Whether the sender of a packet is on a network of this machine, loopback left out: an IPv4 host
// within one, or one with a link-local address over an interface of `wires`.
bool is_neighbour(const std::vector<LocalNetwork>& networks, const std::set<unsigned>& wires,
                  const Endpoint& sender);

}  // namespace ebb::node
