// UdpSender: datagrams from one address, at a port that it holds alone.
//
// Threads: not thread-safe.
#pragma once

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "core/bytes.h"
#include "node/address.h"

namespace ebb::tests {

class UdpSender {
 public:
  // Port 0: one that the system gives. An IPv6 host takes IPv6 alone.
  explicit UdpSender(const std::string& host, std::uint16_t port = 0) {
    const auto from = *node::literal_endpoint({host, port});
    socket_ = ::socket(from.storage.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    REQUIRE(socket_ >= 0);
    const bool v6 = from.storage.ss_family == AF_INET6;
    const int on = 1;
    if (v6) {
      REQUIRE(::setsockopt(socket_, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) == 0);
    }
    REQUIRE(::bind(socket_, from.address(), v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in)) == 0);
  }
  ~UdpSender() { ::close(socket_); }
  UdpSender(const UdpSender&) = delete;
  UdpSender& operator=(const UdpSender&) = delete;

  std::uint16_t port() const {
    node::Endpoint own;
    socklen_t size = sizeof own.storage;
    REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&own.storage), &size) == 0);
    return own.port();
  }
  void send(const std::string& to, const Bytes& bytes) const {
    const auto endpoint = *node::literal_endpoint(*parse_host_port(to));
    REQUIRE(::sendto(socket_, bytes.data(), bytes.size(), 0, endpoint.address(),
                     sizeof(sockaddr_in)) == static_cast<ssize_t>(bytes.size()));
  }

 private:
  int socket_ = -1;
};

}  // namespace ebb::tests
