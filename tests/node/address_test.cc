#include "node/address.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "core/limits.h"
#include "node/own_addresses.h"

namespace {

using ebb::ErrorCode;
using ebb::parse_host_port;
using ebb::node::literal_endpoint;
using ebb::node::require_allowed;

ebb::Status judge(const std::string& text) {
  const auto endpoint = literal_endpoint(parse_host_port(text).value());
  REQUIRE(endpoint);
  return require_allowed(*endpoint);
}

}  // namespace

TEST_CASE("addresses are read and written alike") {
  for (const std::string text : {"127.0.0.1:7401", "[::1]:1", "127.9.8.7:65535"}) {
    const auto parsed = parse_host_port(text);
    REQUIRE(parsed.ok());
    CHECK(host_port_text(*parsed) == text);
    const auto endpoint = literal_endpoint(*parsed);
    REQUIRE(endpoint);
    CHECK(endpoint->text() == text);
    CHECK(endpoint->port() == parsed->port);
  }
}

TEST_CASE("only loopback addresses may be used, and the refusal says why") {
  CHECK(judge("127.0.0.1:1").ok());
  CHECK(judge("127.1.2.3:1").ok());
  CHECK(judge("localhost:1").ok());
  CHECK(judge("[::1]:1").ok());
  for (const std::string text :
       {"0.0.0.0:1", "10.0.0.1:1", "[::]:1", "[fe80::1]:1", "[::ffff:10.0.0.1]:1", "128.0.0.1:1"}) {
    CAPTURE(text);
    const ebb::Status status = judge(text);
    REQUIRE_FALSE(status.ok());
    CHECK(status.error().code == ErrorCode::kPermission);
    CHECK(status.error().detail.find("links are not encrypted yet") != std::string::npos);
  }
}

TEST_CASE("a node is where it listens, or where the interfaces are when it listens everywhere") {
  const auto own = [](const std::string& text) {
    return ebb::node::own_addresses(*literal_endpoint(parse_host_port(text).value()));
  };
  CHECK(own("127.0.0.1:7401") == std::vector<std::string>{"127.0.0.1:7401"});
  for (const std::string any : {"0.0.0.0:7401", "[::]:7401"}) {
    const std::vector<std::string> found = own(any);
    CHECK(found.size() <= ebb::limits::kPresenceAddresses);
    for (const std::string& text : found) {
      const auto parsed = ebb::parse_peer_address(text);
      REQUIRE(parsed.ok());
      CHECK(parsed->port == 7401);
      const auto endpoint = literal_endpoint(*parsed);
      REQUIRE(endpoint);
      CHECK(!endpoint->is_loopback());
      CHECK(!endpoint->is_any());
    }
  }
}
