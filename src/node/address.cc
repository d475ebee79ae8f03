#include "node/address.h"

#include <arpa/inet.h>

#include <array>
#include <cstring>

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
  return host_port_text({host.data(), port()});
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
  const std::string host = address.host == "localhost" ? "127.0.0.1" : address.host;
  if (::inet_pton(AF_INET, host.c_str(), &as_v4(endpoint.storage).sin_addr) == 1) {
    endpoint.storage.ss_family = AF_INET;
  } else if (::inet_pton(AF_INET6, host.c_str(), &as_v6(endpoint.storage).sin6_addr) == 1) {
    endpoint.storage.ss_family = AF_INET6;
  } else {
    return std::nullopt;
  }
  endpoint.set_port(address.port);
  return endpoint;
}

}  // namespace ebb::node
