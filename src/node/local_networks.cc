#include "node/local_networks.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <uv.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace ebb::node {
namespace {

constexpr const char* kGroup = "ff12::ebb";  // link-local, of no registry

bool is_v6(const Endpoint& endpoint) { return endpoint.storage.ss_family == AF_INET6; }

std::uint32_t number_of(const Endpoint& v4) {
  return ntohl(reinterpret_cast<const sockaddr_in&>(v4.storage).sin_addr.s_addr);
}

sockaddr_in6& as_v6(Endpoint& endpoint) {
  return reinterpret_cast<sockaddr_in6&>(endpoint.storage);
}

// 0: it is no link-local address of IPv6.
unsigned wire_of(const Endpoint& endpoint) {
  if (!is_v6(endpoint)) return 0;
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(endpoint.storage);
  return IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) ? v6.sin6_scope_id : 0;
}

std::optional<LocalNetwork> local_network(const uv_interface_address_t& each) {
  const auto address = endpoint_of(reinterpret_cast<const sockaddr*>(&each.address));
  if (!address) return std::nullopt;
  LocalNetwork network{each.name, each.is_internal != 0, *address, 0};
  if (!is_v6(*address)) {
    network.mask = ntohl(each.netmask.netmask4.sin_addr.s_addr);
    return network;
  }
  // Not every system says it in the address.
  sockaddr_in6& v6 = as_v6(network.address);
  if (IN6_IS_ADDR_LINKLOCAL(&v6.sin6_addr) && v6.sin6_scope_id == 0) {
    v6.sin6_scope_id = ::if_nametoindex(each.name);
  }
  return network;
}

// nullopt: none leads there.
std::optional<BeaconRoute> route_over(const LocalNetwork& network, const Endpoint& bound,
                                      std::uint16_t port) {
  if (network.internal) return std::nullopt;
  Endpoint own = network.address;
  own.set_port(bound.port());
  const bool v6 = is_v6(own);
  if (v6 && !is_v6(bound)) return std::nullopt;
  if (!bound.is_any() && own.text() != bound.text()) return std::nullopt;
  if (v6) {
    // The sender is dialled where the packet came from, which is such an address.
    const unsigned wire = wire_of(own);
    if (wire == 0) return std::nullopt;
    Endpoint group = beacon_group(port);
    as_v6(group).sin6_scope_id = wire;
    return BeaconRoute{network.interface, group};
  }
  // A line between two, or one alone, has no broadcast; and no mask is no network.
  const std::uint32_t hosts = ~network.mask;
  if (hosts <= 1 || network.mask == 0) return std::nullopt;
  Endpoint all = own;
  all.set_port(port);
  reinterpret_cast<sockaddr_in&>(all.storage).sin_addr.s_addr = htonl(number_of(own) | hosts);
  return BeaconRoute{network.interface, all};
}

bool is_within(const LocalNetwork& network, const Endpoint& sender) {
  if (network.internal || is_v6(network.address) || network.mask == 0) return false;
  const std::uint32_t number = number_of(sender);
  const std::uint32_t hosts = ~network.mask;
  if ((number & network.mask) != (number_of(network.address) & network.mask)) return false;
  const std::uint32_t host = number & hosts;
  return hosts <= 1 || (host != 0 && host != hosts);  // nobody's, and everybody's
}

}  // namespace

std::vector<LocalNetwork> local_networks() {
  uv_interface_address_t* interfaces = nullptr;
  int count = 0;
  if (uv_interface_addresses(&interfaces, &count) != 0) return {};
  std::vector<LocalNetwork> networks;
  for (int i = 0; i < count; ++i) {
    if (auto network = local_network(interfaces[i])) networks.push_back(std::move(*network));
  }
  uv_free_interface_addresses(interfaces, count);
  return networks;
}

std::vector<BeaconRoute> beacon_routes(const std::vector<LocalNetwork>& networks,
                                       const Endpoint& bound, std::uint16_t beacon_port) {
  std::vector<BeaconRoute> routes;
  std::set<std::string> seen;
  for (const LocalNetwork& network : networks) {
    auto route = route_over(network, bound, beacon_port);
    if (route && seen.insert(route->interface + " " + route->to.text()).second) {
      routes.push_back(std::move(*route));
    }
  }
  return routes;
}

Endpoint beacon_group(std::uint16_t beacon_port) {
  return *literal_endpoint({kGroup, beacon_port});
}

std::set<unsigned> beacon_wires(const std::vector<LocalNetwork>& networks) {
  std::set<unsigned> wires;
  for (const LocalNetwork& network : networks) {
    const unsigned wire = wire_of(network.address);
    if (!network.internal && wire != 0) wires.insert(wire);
  }
  return wires;
}

bool is_neighbour(const std::vector<LocalNetwork>& networks, const std::set<unsigned>& wires,
                  const Endpoint& sender) {
  if (is_v6(sender)) return wires.contains(wire_of(sender));
  return std::any_of(networks.begin(), networks.end(),
                     [&sender](const LocalNetwork& network) { return is_within(network, sender); });
}

}  // namespace ebb::node
