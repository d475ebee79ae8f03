// Where a node that listens can be reached, as far as this machine knows.
//
// Threads: any; asks the system each time.
#pragma once

#include <string>
#include <vector>

#include "node/address.h"

namespace ebb::node {

// `bound` itself; or, where that is all addresses of the machine, those of its interfaces that are
// up, loopback and link-local ones left out: IPv4 first, then in order, at most
// limits::kPresenceAddresses. Empty when there are none.
std::vector<std::string> own_addresses(const Endpoint& bound);

}  // namespace ebb::node
