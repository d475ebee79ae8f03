// UdpSender: datagrams from one address, at a port that the system gives.
//
// Threads: not thread-safe.
#pragma once

#include <doctest/doctest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <string>

#include "core/bytes.h"
#include "node/address.h"

namespace ebb::tests {

class UdpSender {
 public:
  explicit UdpSender(const std::string& host)
      : socket_(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)) {
    const auto from = *node::literal_endpoint({host, 0});
    REQUIRE(socket_ >= 0);
    REQUIRE(::bind(socket_, from.address(), sizeof(sockaddr_in)) == 0);
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
  int socket_;
};

}  // namespace ebb::tests
