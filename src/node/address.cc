#include "node/address.h"

#include <arpa/inet.h>
#include <net/if.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string_view>
#include <system_error>

namespace ebb::node {
namespace {

sockaddr_in& as_v4(sockaddr_storage& storage) { return reinterpret_cast<sockaddr_in&>(storage); }
const sockaddr_in& as_v4(const sockaddr_storage& storage) {
  return reinterpret_cast<const sockaddr_in&>(storage);
}
sockaddr_in6& as_v6(sockaddr_storage& storage) { return reinterpret_cast<sockaddr_in6&>(storage); }
const sockaddr_in6& as_v6(const sockaddr_storage& storage) {
  return reinterpret_cast<const sockaddr_in6&>(storage);
}

// Behind "%": the name, or where it has letters that no address may have, the number.
std::string zone_text(std::uint32_t scope) {
  std::array<char, IF_NAMESIZE> buffer{};
  const bool known = ::if_indextoname(scope, buffer.data()) != nullptr;
  const std::string_view name = known ? buffer.data() : "";
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return c > ' ' && c <= '~' && c != ',' && c != '[' && c != ']' && c != '%';
  });
  return name.empty() || !plain ? std::to_string(scope) : std::string(name);
}

// 0: there is no such interface.
std::uint32_t scope_of(const std::string& zone) {
  if (const unsigned named = ::if_nametoindex(zone.c_str()); named != 0) return named;
  std::uint32_t number = 0;
  const char* end = zone.data() + zone.size();
  const std::from_chars_result parsed = std::from_chars(zone.data(), end, number);
  return parsed.ec == std::errc() && parsed.ptr == end ? number : 0;
}

bool has_zone(const sockaddr_in6& address) {
  const in6_addr& number = address.sin6_addr;
  return address.sin6_scope_id != 0 &&
         (IN6_IS_ADDR_LINKLOCAL(&number) || IN6_IS_ADDR_MC_LINKLOCAL(&number));
}

}  // namespace

std::uint16_t Endpoint::port() const {
  return storage.ss_family == AF_INET6 ? ntohs(as_v6(storage).sin6_port)
                                       : ntohs(as_v4(storage).sin_port);
}

void Endpoint::set_port(std::uint16_t port) {
  if (storage.ss_family == AF_INET6) {
    as_v6(storage).sin6_port = htons(port);
  } else {
    as_v4(storage).sin_port = htons(port);
  }
}

bool Endpoint::is_loopback() const {
  if (storage.ss_family == AF_INET) {
    return (ntohl(as_v4(storage).sin_addr.s_addr) >> 24) == 127;
  }
  return storage.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&as_v6(storage).sin6_addr);
}

bool Endpoint::is_any() const {
  if (storage.ss_family == AF_INET) return as_v4(storage).sin_addr.s_addr == INADDR_ANY;
  return storage.ss_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&as_v6(storage).sin6_addr);
}

std::string Endpoint::text() const {
  std::array<char, INET6_ADDRSTRLEN> host{};
  const bool v6 = storage.ss_family == AF_INET6;
  const void* address = v6 ? static_cast<const void*>(&as_v6(storage).sin6_addr)
                           : static_cast<const void*>(&as_v4(storage).sin_addr);
  if (::inet_ntop(v6 ? AF_INET6 : AF_INET, address, host.data(), host.size()) == nullptr) return "";
  std::string text = host.data();
  if (v6 && has_zone(as_v6(storage))) text += "%" + zone_text(as_v6(storage).sin6_scope_id);
  return host_port_text({text, port()});
}

std::optional<Endpoint> endpoint_of(const sockaddr* address) {
  Endpoint endpoint;
  if (address->sa_family == AF_INET) {
    std::memcpy(&endpoint.storage, address, sizeof(sockaddr_in));
  } else if (address->sa_family == AF_INET6) {
    std::memcpy(&endpoint.storage, address, sizeof(sockaddr_in6));
  } else {
    return std::nullopt;
  }
  return endpoint;
}

std::optional<Endpoint> literal_endpoint(const HostPort& address) {
  Endpoint endpoint;
  const std::size_t percent = std::min(address.host.find('%'), address.host.size());
  const std::string number = address.host.substr(0, percent);
  const std::string host = number == "localhost" ? "127.0.0.1" : number;
  const bool zoned = percent < address.host.size();
  if (!zoned && ::inet_pton(AF_INET, host.c_str(), &as_v4(endpoint.storage).sin_addr) == 1) {
    endpoint.storage.ss_family = AF_INET;
  } else if (::inet_pton(AF_INET6, host.c_str(), &as_v6(endpoint.storage).sin6_addr) == 1) {
    endpoint.storage.ss_family = AF_INET6;
    if (zoned) as_v6(endpoint.storage).sin6_scope_id = scope_of(address.host.substr(percent + 1));
    if (zoned && as_v6(endpoint.storage).sin6_scope_id == 0) return std::nullopt;
  } else {
    return std::nullopt;
  }
  endpoint.set_port(address.port);
  return endpoint;
}

}  // namespace ebb::node
