#include "node/local_networks.h"

#include <doctest/doctest.h>
#include <netinet/in.h>

#include <set>
#include <string>
#include <vector>

using namespace ebb;
using namespace ebb::node;

namespace {

Endpoint at(const std::string& host, std::uint16_t port = 0) {
  return *literal_endpoint({host, port});
}

// Interfaces that no machine need have: their numbers are above all real ones.
Endpoint link_local(const std::string& host, unsigned wire) {
  Endpoint made = at(host);
  reinterpret_cast<sockaddr_in6&>(made.storage).sin6_scope_id = wire;
  return made;
}

constexpr unsigned kWire = 90001;
constexpr unsigned kOtherWire = 90002;

constexpr std::uint32_t mask(int bits) { return bits == 0 ? 0 : ~std::uint32_t{0} << (32 - bits); }

const std::vector<LocalNetwork>& machine() {
  static const std::vector<LocalNetwork> made = {
      {"lo", true, at("127.0.0.1"), mask(8)},
      {"lo", true, at("::1")},
      {"made0", false, at("192.0.2.7"), mask(24)},
      {"made0", false, link_local("fe80::7", kWire)},
      {"made0", false, at("2001:db8::7")},
      {"made1", false, at("198.51.100.9"), mask(30)},
      {"line0", false, at("203.0.113.4"), mask(31)},
      {"line1", false, at("203.0.113.8"), mask(32)},
      {"odd0", false, at("203.0.113.12"), mask(0)},
      {"made2", false, link_local("fe80::9", kOtherWire)},
  };
  return made;
}

using Texts = std::vector<std::string>;

Texts routes(const std::vector<LocalNetwork>& networks, const Endpoint& bound) {
  Texts texts;
  for (const BeaconRoute& route : beacon_routes(networks, bound, 7402))
    texts.push_back(route.interface + " " + route.to.text());
  return texts;
}

const std::string kGroupOver = "[ff12::ebb%";

}  // namespace

TEST_CASE("beacons go to each network that has a broadcast, and over each wire, but for loopback") {
  CHECK(routes(machine(), at("0.0.0.0", 7401)) ==
        Texts{"made0 192.0.2.255:7402", "made1 198.51.100.11:7402"});
  CHECK(routes(machine(), at("::", 7401)) ==
        Texts{"made0 192.0.2.255:7402", "made0 " + kGroupOver + "90001]:7402",
              "made1 198.51.100.11:7402", "made2 " + kGroupOver + "90002]:7402"});
}

TEST_CASE("who listens at one address tells it where that is reached") {
  CHECK(routes(machine(), at("198.51.100.9", 7401)) == Texts{"made1 198.51.100.11:7402"});
  CHECK(routes(machine(), at("192.0.2.8", 7401)).empty());
  Endpoint wire = link_local("fe80::7", kWire);
  wire.set_port(7401);
  CHECK(routes(machine(), wire) == Texts{"made0 " + kGroupOver + "90001]:7402"});
  // A beacon comes from the link-local address, where nobody listens then.
  CHECK(routes(machine(), at("2001:db8::7", 7401)).empty());
}

TEST_CASE("a network of two addresses on one interface is told once") {
  std::vector<LocalNetwork> networks = {{"made0", false, at("192.0.2.7"), mask(24)},
                                        {"made0", false, at("192.0.2.8"), mask(24)}};
  CHECK(routes(networks, at("0.0.0.0", 7401)) == Texts{"made0 192.0.2.255:7402"});
}

TEST_CASE("a neighbour is who has an address within a network of this machine") {
  const auto near = [](const std::string& host) { return is_neighbour(machine(), {}, at(host)); };
  for (const char* host : {"192.0.2.1", "192.0.2.7", "192.0.2.254", "198.51.100.9", "198.51.100.10",
                           "203.0.113.4", "203.0.113.5", "203.0.113.8"}) {
    CAPTURE(std::string(host));
    CHECK(near(host));
  }
  // Beyond each network; its own number and its broadcast; loopback; a mask of nothing.
  for (const char* host :
       {"192.0.1.255", "192.0.3.1", "192.0.2.0", "192.0.2.255", "198.51.100.7", "198.51.100.8",
        "198.51.100.11", "198.51.100.12", "203.0.113.3", "203.0.113.6", "203.0.113.9",
        "203.0.113.12", "127.0.0.1", "0.0.0.0", "255.255.255.255", "8.8.8.8"}) {
    CAPTURE(std::string(host));
    CHECK_FALSE(near(host));
  }
}

TEST_CASE("over IPv6 a neighbour is who has a link-local address over a wire that is listened to") {
  CHECK(beacon_wires(machine()) == std::set<unsigned>{kWire, kOtherWire});
  const std::set<unsigned> joined = {kWire};
  CHECK(is_neighbour(machine(), joined, link_local("fe80::1234", kWire)));
  CHECK_FALSE(is_neighbour(machine(), joined, link_local("fe80::1234", kOtherWire)));
  CHECK_FALSE(is_neighbour(machine(), joined, link_local("fe80::1234", 0)));
  // The same network, by a number that any router passes on.
  CHECK_FALSE(is_neighbour(machine(), joined, at("2001:db8::8")));
  CHECK_FALSE(is_neighbour(machine(), joined, at("::1")));
}

TEST_CASE("a loopback interface is no wire, nor is one without a link-local address") {
  const std::vector<LocalNetwork> networks = {{"lo", true, link_local("fe80::1", kWire)},
                                              {"made0", false, at("2001:db8::7")}};
  CHECK(beacon_wires(networks).empty());
  CHECK(routes(networks, at("::", 7401)).empty());
}

TEST_CASE("the networks of this machine are its own") {
  bool loopback = false;
  for (const LocalNetwork& network : local_networks()) {
    loopback = loopback || (network.internal && network.address.is_loopback());
    if (network.internal || network.mask == 0 || network.mask == mask(32)) continue;
    CAPTURE(network.address.text());
    CHECK(is_neighbour({network}, {}, network.address));
  }
  CHECK(loopback);
  for (const BeaconRoute& route : beacon_routes(local_networks(), at("0.0.0.0", 7401), 7402)) {
    CHECK_FALSE(route.to.is_loopback());
    CHECK(route.to.port() == 7402);
  }
}
