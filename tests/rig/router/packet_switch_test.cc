#include "tests/rig/router/packet_switch.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using ebb::Bytes;
using ebb::ByteView;
using ebb::Instant;
using ebb::milliseconds;
using ebb::Rng;
using ebb::seconds;
using ebb::sim::HostIndex;
using ebb::tests::PacketSwitch;

namespace {

constexpr Instant kStart{1000000};

// An IPv4 header without options that means what the switch looks at, and a
// mark to know it by.
Bytes packet_to(HostIndex to, std::uint8_t mark, std::size_t size = 100) {
  Bytes packet(size);
  packet[0] = 0x45;
  const auto address = PacketSwitch::address(to);
  for (std::size_t i = 0; i < address.size(); ++i)
    packet[16 + i] = address[i];
  packet.back() = mark;
  return packet;
}

// A switch of three hosts, and what arrived: (host, mark).
struct Rig {
  std::vector<std::pair<HostIndex, int>> arrived;
  PacketSwitch net{3, Rng(5), [this](HostIndex to, ByteView packet) {
                     arrived.emplace_back(to, packet.back());
                   }};
};

using Arrivals = std::vector<std::pair<HostIndex, int>>;

}  // namespace

TEST_CASE(
    "the switch delivers a packet to the host of its destination when "
    "its path has") {
  Rig rig;
  rig.net.set_path(0, 2, {.latency = milliseconds(100), .rate = 10000});
  rig.net.take(kStart, 0, packet_to(2, 1));
  rig.net.take(kStart, 0, packet_to(1, 2));
  rig.net.take(kStart, 0, packet_to(2, 3));
  rig.net.run(kStart);
  CHECK(rig.arrived == Arrivals{{1, 2}});
  CHECK(rig.net.next_due() == kStart + milliseconds(110));
  rig.net.run(kStart + milliseconds(110));
  CHECK(rig.arrived == Arrivals{{1, 2}, {2, 1}});
  rig.net.run(kStart + milliseconds(120));
  CHECK(rig.arrived == Arrivals{{1, 2}, {2, 1}, {2, 3}});
  CHECK_FALSE(rig.net.next_due());
  CHECK(rig.net.counts().delivered_bytes == 300);
}

TEST_CASE("what goes to everybody reaches all others where that passes, each over its path") {
  Rig rig;
  Bytes packet = packet_to(1, 7);
  packet[19] = 255;
  rig.net.take(kStart, 0, packet);
  CHECK(rig.net.counts().not_for_us == 1);
  rig.net.pass_broadcasts(true);
  rig.net.set_passing(0, 2, PacketSwitch::Passing::kNothing);
  rig.net.take(kStart, 0, packet);
  rig.net.take(kStart, 1, packet);
  rig.net.run(kStart + seconds(1));
  CHECK(rig.arrived == Arrivals{{1, 7}, {0, 7}, {2, 7}});
  CHECK(rig.net.counts().blocked == 1);
}

TEST_CASE("IPv6 passes as on one wire where that is wanted, to groups and to who has sent") {
  Rig rig;
  const auto six = [](std::uint8_t from, std::uint8_t to, std::uint8_t mark) {
    Bytes packet(60);
    packet[0] = 0x60;
    packet[8] = 0xfe;
    packet[9] = 0x80;
    packet[23] = from;
    packet[24] = to == 0 ? 0xff : 0xfe;
    packet[25] = to == 0 ? 0x12 : 0x80;
    packet[39] = to;
    packet.back() = mark;
    return packet;
  };
  rig.net.take(kStart, 0, six(1, 0, 1));
  CHECK(rig.net.counts().not_for_us == 1);
  rig.net.pass_wire(true);
  rig.net.take(kStart, 0, six(1, 2, 2));  // nobody has sent from there
  CHECK(rig.net.counts().not_for_us == 2);
  rig.net.take(kStart, 1, six(2, 0, 3));
  rig.net.take(kStart, 0, six(1, 2, 4));
  Bytes cut = six(1, 2, 5);
  cut.resize(39);
  rig.net.take(kStart, 0, cut);
  rig.net.run(kStart + seconds(1));
  CHECK(rig.arrived == Arrivals{{0, 3}, {2, 3}, {1, 4}});
  CHECK(rig.net.counts().not_for_us == 3);
  rig.net.set_passing(0, 1, PacketSwitch::Passing::kDatagrams);
  Bytes datagram = six(1, 2, 6);
  datagram[6] = 17;
  rig.net.take(kStart, 0, six(1, 2, 7));
  rig.net.take(kStart, 0, datagram);
  rig.net.run(kStart + seconds(1));
  CHECK(rig.arrived.size() == 4);
  CHECK(rig.arrived.back() == Arrivals::value_type{1, 6});
}

TEST_CASE("a path for datagrams lets UDP through and nothing else") {
  Rig rig;
  rig.net.set_passing(0, 1, PacketSwitch::Passing::kDatagrams);
  Bytes datagram = packet_to(1, 1);
  datagram[9] = 17;
  Bytes stream = packet_to(1, 2);
  stream[9] = 6;
  rig.net.take(kStart, 0, stream);
  rig.net.take(kStart, 0, datagram);
  rig.net.run(kStart + seconds(1));
  CHECK(rig.arrived == Arrivals{{1, 1}});
  CHECK(rig.net.counts().blocked == 1);
}

TEST_CASE(
    "a blocked path is a black hole in its direction only, for what is "
    "under way as well") {
  Rig rig;
  rig.net.set_path(0, 1, {.latency = milliseconds(100)});
  rig.net.take(kStart, 0, packet_to(1, 1));
  rig.net.set_passing(0, 1, PacketSwitch::Passing::kNothing);
  rig.net.take(kStart, 0, packet_to(1, 2));
  rig.net.take(kStart, 1, packet_to(0, 3));
  rig.net.run(kStart + seconds(10));
  CHECK(rig.arrived == Arrivals{{0, 3}});
  CHECK(rig.net.counts().blocked == 2);
  rig.net.set_passing(0, 1, PacketSwitch::Passing::kAll);
  rig.net.take(kStart, 0, packet_to(1, 4));
  rig.net.run(kStart + seconds(10));
  CHECK(rig.arrived == Arrivals{{0, 3}, {1, 4}});
}

TEST_CASE("what is not IPv4 to one of the hosts goes nowhere and is counted") {
  Rig rig;
  Bytes six = packet_to(1, 1);
  six[0] = 0x60;
  Bytes elsewhere = packet_to(1, 2);
  elsewhere[16] = 192;
  Bytes nobody = packet_to(1, 3);
  nobody[19] = 0;
  Bytes cut = packet_to(1, 4);
  cut.resize(19);
  for (const Bytes& packet : {six, elsewhere, nobody, cut, packet_to(3, 5), Bytes{}})
    rig.net.take(kStart, 0, packet);
  rig.net.run(kStart + seconds(10));
  CHECK(rig.arrived.empty());
  CHECK(rig.net.counts().not_for_us == 6);
}

TEST_CASE("loss and a full queue of a path are told apart") {
  Rig rig;
  rig.net.set_path(0, 1, {.loss_permille = 1000});
  rig.net.set_path(0, 2, {.rate = 1000, .queue_bytes = 150});
  for (std::uint8_t i = 0; i < 10; ++i) {
    rig.net.take(kStart, 0, packet_to(1, i));
    rig.net.take(kStart, 0, packet_to(2, i));
  }
  rig.net.run(kStart + seconds(10));
  CHECK(rig.arrived == Arrivals{{2, 0}});
  CHECK(rig.net.counts().lost == 10);
  CHECK(rig.net.counts().no_room == 9);
}
