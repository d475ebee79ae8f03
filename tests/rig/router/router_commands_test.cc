#include "tests/rig/router/router_commands.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using ebb::Bytes;
using ebb::ByteView;
using ebb::Instant;
using ebb::milliseconds;
using ebb::Rng;
using ebb::sim::HostIndex;
using ebb::tests::PacketSwitch;
using ebb::tests::run_command;

namespace {

constexpr Instant kStart{1000000};

Bytes packet_to(HostIndex to) {
  Bytes packet(100);
  packet[0] = 0x45;
  const auto address = PacketSwitch::address(to);
  for (std::size_t i = 0; i < address.size(); ++i)
    packet[16 + i] = address[i];
  return packet;
}

struct Rig {
  std::vector<HostIndex> arrived;
  PacketSwitch net{3, Rng(5), [this](HostIndex to, ByteView) { arrived.push_back(to); }};
};

}  // namespace

TEST_CASE("the router takes paths and black holes by line, for one host or all") {
  Rig rig;
  CHECK(run_command(rig.net, "path 0 1 100000 0 10000 0 0") == "ok");
  CHECK(run_command(rig.net, "block * 2") == "ok");
  for (const HostIndex to : {0U, 1U, 2U}) {
    rig.net.take(kStart, 0, packet_to(to));
    rig.net.take(kStart, 1, packet_to(to));
  }
  rig.net.run(kStart);
  CHECK(rig.arrived == std::vector<HostIndex>{0, 0, 1});
  CHECK(rig.net.next_due() == kStart + milliseconds(110));
  CHECK(run_command(rig.net, "open 1 2") == "ok");
  rig.net.take(kStart, 1, packet_to(2));
  rig.net.run(kStart + milliseconds(110));
  CHECK(rig.arrived == std::vector<HostIndex>{0, 0, 1, 2, 1});
  CHECK(run_command(rig.net, "counts") ==
        "{\"taken\":7,\"delivered\":5,\"delivered_bytes\":500,\"lost\":0,\"no_room\":0,"
        "\"blocked\":2,\"not_for_us\":0}");
}

TEST_CASE("the router refuses lines that it does not understand and changes nothing") {
  Rig rig;
  for (const std::string line :
       {"", " ", "block", "block 0", "block 0 3", "block -1 0", "block 0 1 2", "path 0 1",
        "path 0 1 1 1 1 1", "path 0 1 a 0 0 0 0", "path 0 1 0 0 0 0 4294967296", "counts 1", "wire",
        "wire open", "bl\u00f6ck 0 1"}) {
    CAPTURE(line);
    CHECK(run_command(rig.net, line) == "error: " + line);
  }
  rig.net.take(kStart, 0, packet_to(1));
  rig.net.run(kStart);
  CHECK(rig.arrived == std::vector<HostIndex>{1});
}
