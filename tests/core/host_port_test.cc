#include "core/host_port.h"

#include <doctest/doctest.h>

#include <string>

namespace {

using ebb::ErrorCode;
using ebb::parse_host_port;
using ebb::parse_peer_address;

TEST_CASE("addresses are read and written alike") {
  for (const std::string text : {"127.0.0.1:7401", "[::1]:1", "hub.lan:65535", "a:0"}) {
    const auto parsed = parse_host_port(text);
    REQUIRE(parsed.ok());
    CHECK(host_port_text(*parsed) == text);
  }
  CHECK(parse_host_port("[::1]:7000")->host == "::1");
  CHECK(parse_host_port("[::1]:7000")->port == 7000);
}

TEST_CASE("what is not host:port is refused") {
  for (const std::string text :
       {"", ":", "host", "host:", ":1", "host:x", "host:-1", "host:65536", "host:1x", "::1:1",
        "::1:7401", "[::1]", "[]:1", "[host]:1", "a b:1", "a\n:1", "a,b:1", "host:+1"}) {
    CAPTURE(text);
    const auto parsed = parse_host_port(text);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().code == ErrorCode::kInvalidArgument);
    CHECK_FALSE(parse_peer_address(text).ok());
  }
  CHECK_FALSE(parse_host_port(std::string(300, 'a') + ":1").ok());
}

TEST_CASE("who is dialled has a port") {
  CHECK(parse_peer_address("a:1").ok());
  CHECK_FALSE(parse_peer_address("a:0").ok());
}

}  // namespace
