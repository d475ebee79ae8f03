// Addresses as sockets have them, out of "host:port" (core/host_port.h).
//
// Errors:  kInvalidArgument; detail names the address.
// Threads: values; any thread.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>

#include "core/host_port.h"
#include "core/result.h"

namespace ebb::node {

// What the system calls take: an IPv4 or IPv6 address with its port.
struct Endpoint {
  sockaddr_storage storage{};
  const sockaddr* address() const { return reinterpret_cast<const sockaddr*>(&storage); }
  std::uint16_t port() const;
  void set_port(std::uint16_t port);
  bool is_loopback() const;
  bool is_any() const;  // all addresses of this machine
  // "127.0.0.1:7401" or "[::1]:7401"; of what is link-local with its interface,
  // "[fe80::1%eth0]:7401".
  std::string text() const;
};

// Copies any address a socket gave; a family other than IPv4 and IPv6 gives nullopt.
std::optional<Endpoint> endpoint_of(const sockaddr* address);
// Hosts that are addresses, with the name or number of an interface of this machine ("%eth0") too,
// and "localhost"; other names have to be asked for.
std::optional<Endpoint> literal_endpoint(const HostPort& address);

}  // namespace ebb::node
