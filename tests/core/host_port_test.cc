#include "core/host_port.h"

#include <doctest/doctest.h>

#include <string>

namespace {

using ebb::ErrorCode;
using ebb::network_of;
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

TEST_CASE("a network is a host, and of an IPv6 number what one host may have all addresses of") {
  CHECK(network_of("10.0.0.1:1") == "10.0.0.1");
  CHECK(network_of("hub.lan:1") == network_of("hub.lan:2"));
  CHECK(network_of("[2001:db8:1:2::1]:1") == network_of("[2001:db8:1:2:ffff:2:3:4]:9"));
  CHECK(network_of("[2001:db8:1:2::1]:1") == network_of("[2001:db8:1:ff::1]:1"));
  CHECK(network_of("[2001:db8:1:2::1]:1") != network_of("[2001:db8:1:102::1]:1"));
  CHECK(network_of("[2001:db8:1:2::1]:1") != network_of("[2001:db8:2:2::1]:1"));
  CHECK(network_of("[2001:DB8:01::1]:1") == network_of("[2001:db8:1::2]:1"));
  CHECK(network_of("[2001:db8::1]:1") == network_of("[2001:db8:0:0:9::]:1"));
  CHECK(network_of("[2001::a:b:c:d:e]:1") == network_of("[2001:0:0:a:1::]:1"));
  CHECK(network_of("[::ffff:10.0.0.1]:1") != network_of("[::ffff:10.0.0.2]:1"));
  CHECK(network_of("[::1]:1") == "0:0:0:0::/56");
  CHECK(network_of("[fe80::1:2%eth0]:1") == network_of("[fe80::1:2%eth0]:9"));
  CHECK(network_of("[fe80::1:2%eth0]:1") != network_of("[fe80::1:3%eth0]:1"));
  CHECK(network_of("nonsense") == "nonsense");
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
  CHECK(parse_host_port("host:99999").error().detail ==
        "\"host:99999\": the port is too large, it ends at 65535");
}

TEST_CASE("hosts that lead to no one other machine are known, however they are written") {
  for (const char* host : {"127.0.0.1",
                           "127.255.3.4",
                           "0.0.0.0",
                           "0.1.2.3",
                           "169.254.0.1",
                           "224.0.0.1",
                           "255.255.255.255",
                           "::1",
                           "::",
                           "fe80::1",
                           "febf::1",
                           "fe80::1%eth0",
                           "ff02::1",
                           "::ffff:127.0.0.1",
                           "::ffff:169.254.1.1",
                           "::127.0.0.1",
                           "0:0:0:0:0:0:0:1",
                           "localhost",
                           "LocalHost",
                           "localhost.",
                           "a.localhost",
                           "127.1",
                           "2130706433",
                           "0x7f000001",
                           "0x7f.1",
                           "0177.0.0.1",
                           "127.0.0.1."}) {
    CAPTURE(std::string(host));
    CHECK(ebb::is_local_host(host));
  }
  for (const char* host :
       {"10.0.0.1", "192.168.1.1", "126.0.0.1", "128.0.0.1", "169.253.0.1", "169.255.0.1",
        "223.255.255.255", "2001:db8::1", "fec0::1", "fd00::1", "::ffff:10.0.0.1", "node0", "hub",
        "hub.lan", "localhost.example", "notlocalhost", "1a.example"}) {
    CAPTURE(std::string(host));
    CHECK_FALSE(ebb::is_local_host(host));
  }
}

TEST_CASE("addresses of one wire are link-local ones and those with a zone") {
  for (const char* address : {"[fe80::1]:1", "[fe80::1%eth0]:1", "[febf:1::2%3]:65535",
                              "[FE80::A]:1", "[2001:db8::1%eth0]:1", "[ff12::ebb%eth0]:1"}) {
    CAPTURE(std::string(address));
    CHECK(ebb::is_link_scoped(address));
  }
  for (const char* address :
       {"[fec0::1]:1", "[2001:db8::1]:1", "[fd00::fe80]:1", "[::1]:1", "169.254.1.1:1",
        "10.0.0.1:1", "fe80.example:1", "", "fe80", ":", "[]:1"}) {
    CAPTURE(std::string(address));
    CHECK_FALSE(ebb::is_link_scoped(address));
  }
}

TEST_CASE("who is dialled has a port") {
  CHECK(parse_peer_address("a:1").ok());
  CHECK_FALSE(parse_peer_address("a:0").ok());
}

}  // namespace
