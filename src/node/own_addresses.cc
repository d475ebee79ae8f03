#include "node/own_addresses.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

namespace ebb::node {
namespace {

// How interfaces begin that are a machine's own networks inside.
constexpr std::array<std::string_view, 14> kVirtual = {
    "docker", "br-", "veth",    "virbr", "vmnet", "vboxnet", "lxcbr",
    "lxdbr",  "cni", "flannel", "cali",  "kube",  "podman",  "bridge1"};

bool is_virtual(std::string_view interface) {
  return std::any_of(kVirtual.begin(), kVirtual.end(),
                     [interface](std::string_view name) { return interface.starts_with(name); });
}

std::string host_of(const Endpoint& endpoint) {
  const Result<HostPort> parsed = parse_host_port(endpoint.text());
  return parsed.ok() ? parsed->host : std::string();
}

bool is_private(const Endpoint& endpoint) {
  if (endpoint.storage.ss_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(&endpoint.storage);
    return (v6->sin6_addr.s6_addr[0] & 0xfe) == 0xfc;
  }
  const auto* v4 = reinterpret_cast<const sockaddr_in*>(&endpoint.storage);
  const std::uint32_t number = ntohl(v4->sin_addr.s_addr);
  const bool shared = (number >> 22) == (0x64400000U >> 22);  // 100.64.0.0/10, of providers
  return shared || (number >> 24) == 10 || (number >> 20) == 0xac1 || (number >> 16) == 0xc0a8;
}

// Where a datagram to a host far away would be sent from.
std::optional<std::string> source_for(const char* far) {
  std::optional<Endpoint> to = literal_endpoint({far, 9});
  if (!to) return std::nullopt;
  const int fd = ::socket(to->storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return std::nullopt;
  Endpoint from;
  socklen_t size = sizeof from.storage;
  const socklen_t to_size =
      to->storage.ss_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  const bool found = ::connect(fd, to->address(), to_size) == 0 &&
                     ::getsockname(fd, reinterpret_cast<sockaddr*>(&from.storage), &size) == 0;
  ::close(fd);
  if (!found) return std::nullopt;
  return host_of(from);
}

}  // namespace

std::vector<InterfaceAddress> interface_addresses() {
  uv_interface_address_t* interfaces = nullptr;
  int count = 0;
  if (uv_interface_addresses(&interfaces, &count) != 0) return {};
  std::vector<InterfaceAddress> found;
  for (int i = 0; i < count; ++i) {
    const uv_interface_address_t& each = interfaces[i];
    const auto endpoint = endpoint_of(reinterpret_cast<const sockaddr*>(&each.address));
    if (endpoint) found.push_back({each.name, each.is_internal != 0, *endpoint});
  }
  uv_free_interface_addresses(interfaces, count);
  return found;
}

std::set<std::string> routed_hosts() {
  std::set<std::string> hosts;
  // Numbers for documentation, which are nobody's.
  for (const char* far : {"192.0.2.1", "2001:db8::1"}) {
    if (auto host = source_for(far)) hosts.insert(std::move(*host));
  }
  return hosts;
}

std::vector<std::string> rank_addresses(const std::vector<InterfaceAddress>& interfaces,
                                        const std::set<std::string>& routed,
                                        const Endpoint& bound) {
  std::set<std::string> over;  // interfaces
  for (const InterfaceAddress& each : interfaces) {
    if (routed.contains(host_of(each.endpoint))) over.insert(each.interface);
  }
  std::set<std::tuple<bool, bool, bool, bool, std::string>> ranked;
  for (const InterfaceAddress& each : interfaces) {
    const bool v6 = each.endpoint.storage.ss_family == AF_INET6;
    // Who listens on IPv4 alone is not reached by the other.
    if (v6 && bound.storage.ss_family != AF_INET6) continue;
    if (each.internal || is_local_host(host_of(each.endpoint))) continue;
    Endpoint endpoint = each.endpoint;
    endpoint.set_port(bound.port());
    const bool is_routed = over.contains(each.interface);
    ranked.emplace(is_virtual(each.interface) && !is_routed, is_private(endpoint), !is_routed, v6,
                   endpoint.text());
  }
  std::vector<std::string> out;
  for (const auto& rank : ranked)
    out.push_back(std::get<std::string>(rank));
  return out;
}

std::vector<std::string> own_addresses(const Endpoint& bound) {
  if (!bound.is_any()) return {bound.text()};
  return rank_addresses(interface_addresses(), routed_hosts(), bound);
}

}  // namespace ebb::node
