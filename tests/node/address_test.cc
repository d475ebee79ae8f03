#include "node/address.h"

#include <doctest/doctest.h>
#include <net/if.h>

#include <algorithm>
#include <string>
#include <vector>

#include "node/own_addresses.h"

namespace {

using ebb::parse_host_port;
using ebb::node::literal_endpoint;

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

TEST_CASE("link-local addresses are read and written with their interface") {
  // Loopback is there on every machine, and is number 1 by its name too.
  const unsigned index = ::if_nametoindex("lo");
  REQUIRE(index != 0);
  for (const std::string text : {"[fe80::1%lo]:7401", "[ff12::ebb%lo]:7402"}) {
    const auto endpoint = literal_endpoint(*parse_host_port(text));
    REQUIRE(endpoint);
    CHECK(endpoint->text() == text);
  }
  const auto by_number = literal_endpoint({"fe80::1%" + std::to_string(index), 7401});
  REQUIRE(by_number);
  CHECK(by_number->text() == "[fe80::1%lo]:7401");
  // An interface that is not there has its number alone; a name of none is no address.
  CHECK(literal_endpoint({"fe80::1%90001", 1})->text() == "[fe80::1%90001]:1");
  for (const char* host :
       {"fe80::1%nosuch0", "fe80::1%", "fe80::1%0", "127.0.0.1%lo", "localhost%lo"})
    CHECK_FALSE(literal_endpoint({host, 1}));
  // Beyond a wire it says nothing.
  CHECK(literal_endpoint({"2001:db8::1%lo", 1})->text() == "[2001:db8::1]:1");
}

namespace {

using ebb::node::InterfaceAddress;
using ebb::node::rank_addresses;
using Texts = std::vector<std::string>;

ebb::node::Endpoint endpoint(const std::string& text) {
  return *literal_endpoint(parse_host_port(text).value());
}

// A machine with containers, a laptop's network, a server's address and a tunnel.
const std::vector<InterfaceAddress> kMachine = {
    {"lo", true, endpoint("127.0.0.1:0")},
    {"lo", true, endpoint("[::1]:0")},
    {"docker0", false, endpoint("172.17.0.1:0")},
    {"br-1a2b3c", false, endpoint("10.1.0.1:0")},
    {"docker0", false, endpoint("[2001:db8:d::1]:0")},
    {"eth0", false, endpoint("192.168.1.7:0")},
    {"eth0", false, endpoint("[fe80::7]:0")},
    {"eth0", false, endpoint("[fd00::7]:0")},
    {"eth0", false, endpoint("[2001:db8::7]:0")},
    {"eth1", false, endpoint("169.254.9.9:0")},
    {"eth1", false, endpoint("10.0.0.7:0")},
    {"wg0", false, endpoint("100.64.0.7:0")},
    {"eth2", false, endpoint("203.0.113.7:0")},
};

}  // namespace

TEST_CASE("of all addresses the global ones come first, then where the default route leads") {
  CHECK(rank_addresses(kMachine, {"192.168.1.7"}, endpoint("0.0.0.0:7401")) ==
        Texts{"203.0.113.7:7401", "192.168.1.7:7401", "10.0.0.7:7401", "100.64.0.7:7401",
              "10.1.0.1:7401", "172.17.0.1:7401"});
  CHECK(rank_addresses(kMachine, {"10.0.0.7"}, endpoint("0.0.0.0:7401")).at(1) == "10.0.0.7:7401");
  // Without a default route that is known, in order.
  CHECK(rank_addresses(kMachine, {}, endpoint("0.0.0.0:1")) ==
        Texts{"203.0.113.7:1", "10.0.0.7:1", "100.64.0.7:1", "192.168.1.7:1", "10.1.0.1:1",
              "172.17.0.1:1"});
  CHECK(rank_addresses(kMachine, {"192.168.1.7"}, endpoint("[::]:1")) ==
        Texts{"[2001:db8::7]:1", "203.0.113.7:1", "192.168.1.7:1", "[fd00::7]:1", "10.0.0.7:1",
              "100.64.0.7:1", "[2001:db8:d::1]:1", "10.1.0.1:1", "172.17.0.1:1"});
  // A machine whose way out is a bridge.
  CHECK(rank_addresses(kMachine, {"10.1.0.1"}, endpoint("0.0.0.0:1")).at(1) == "10.1.0.1:1");
}

TEST_CASE("a node is where it listens, and what is loopback is known as such") {
  CHECK(ebb::node::own_addresses(endpoint("127.0.0.1:7401")) == Texts{"127.0.0.1:7401"});
  const auto interfaces = ebb::node::interface_addresses();
  const auto loopback = std::find_if(
      interfaces.begin(), interfaces.end(),
      [](const InterfaceAddress& each) { return each.endpoint.is_loopback() && each.internal; });
  REQUIRE(loopback != interfaces.end());
  CHECK(rank_addresses({*loopback}, ebb::node::routed_hosts(), endpoint("0.0.0.0:1")).empty());
  // Who listens everywhere is at each address of the machine that is not left out.
  CHECK(ebb::node::own_addresses(endpoint("[::]:7401")).size() ==
        rank_addresses(interfaces, {}, endpoint("[::]:7401")).size());
}
