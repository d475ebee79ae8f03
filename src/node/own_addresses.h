// Where a node that listens can be reached, as far as this machine knows.
//
// Threads: any; asks the system each time.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "node/address.h"

namespace ebb::node {

// One address of an interface that is up; its port means nothing.
struct InterfaceAddress {
  std::string interface;
  bool internal = false;  // loopback
  Endpoint endpoint;
};

// All addresses that lead to who is bound to `bound`, the best first: `bound` itself; or, where
// that is all addresses of the machine, those of its interfaces, loopback and link-local ones left
// out. Global ones come before private ones, then those of an interface that a default route leads
// over, IPv4, in order; behind them all those of bridges for containers and virtual machines,
// unless the default route leads over them. Empty when there are none.
std::vector<std::string> own_addresses(const Endpoint& bound);

// The same of given interfaces. `routed`: the hosts that the machine speaks from to the world.
std::vector<std::string> rank_addresses(const std::vector<InterfaceAddress>& interfaces,
                                        const std::set<std::string>& routed, const Endpoint& bound);
// What the system says; empty when it says nothing. No packet is sent.
std::vector<InterfaceAddress> interface_addresses();
std::set<std::string> routed_hosts();

}  // namespace ebb::node
