#include "node/own_addresses.h"

#include <netinet/in.h>
#include <uv.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "core/limits.h"

namespace ebb::node {
namespace {

bool is_link_local(const sockaddr_in6& address) {
  return IN6_IS_ADDR_LINKLOCAL(&address.sin6_addr);
}

}  // namespace

std::vector<std::string> own_addresses(const Endpoint& bound) {
  if (!bound.is_any()) return {bound.text()};
  uv_interface_address_t* interfaces = nullptr;
  int count = 0;
  if (uv_interface_addresses(&interfaces, &count) != 0) return {};
  std::vector<std::pair<bool, std::string>> found;  // by family
  for (int i = 0; i < count; ++i) {
    const uv_interface_address_t& each = interfaces[i];
    const auto* address = reinterpret_cast<const sockaddr*>(&each.address);
    const bool v6 = address->sa_family == AF_INET6;
    if (each.is_internal != 0 || (v6 && is_link_local(each.address.address6))) continue;
    // Who listens on IPv4 alone is not reached by the other.
    if (v6 && bound.storage.ss_family != AF_INET6) continue;
    std::optional<Endpoint> endpoint = endpoint_of(address);
    if (!endpoint) continue;
    endpoint->set_port(bound.port());
    found.emplace_back(v6, endpoint->text());
  }
  uv_free_interface_addresses(interfaces, count);
  std::sort(found.begin(), found.end());
  std::vector<std::string> out;
  for (auto& [v6, text] : found) {
    if (out.size() < limits::kPresenceAddresses) out.push_back(std::move(text));
  }
  return out;
}

}  // namespace ebb::node
