// Links that others have opened and that never greet: how many there may be, and who makes room.
#include <doctest/doctest.h>

#include <string>

#include "core/limits.h"
#include "mesh/channel.h"
#include "tests/mesh/member_rig.h"

namespace ebb::tests {
namespace {

constexpr std::uint64_t kFirstLink = std::uint64_t{1} << 40;

DeviceId device_number(std::uint64_t number) {
  DeviceId device;
  for (std::size_t i = 0; i < sizeof number; ++i)
    device.data[i] = static_cast<std::uint8_t>(number >> (8 * i));
  device.data.back() = 0x55;
  return device;
}

// Node 0, to which anybody connects who can prove a key and says nothing behind it.
struct Entrance : MemberRig {
  Entrance() {
    known = store(add_member()).device();
    start(0);
    run_for(seconds(1));
  }
  mesh::LinkId connect(const DeviceId& device, const std::string& host) {
    const mesh::LinkId link{mesh::kInboundBit | (kFirstLink + ++connections)};
    input(0, mesh::LinkUp{link, false, host + ":1"});
    input(0, mesh::StreamBytes{link, claim_preamble(device, {})});
    // No faster than handshakes are answered.
    run_for(milliseconds(20));
    return link;
  }
  mesh::LinkId connect(const std::string& host) { return connect(device_number(++devices), host); }
  bool stands(mesh::LinkId link) {
    for (const mesh::LinkStatus& status : engine(0).links()) {
      if (status.link == link) return status.state == "greeting";
    }
    return false;
  }
  std::size_t standing() { return engine(0).links().size(); }
  std::uint64_t refused() {
    const auto& all = engine(0).counters().handshakes_refused;
    const auto found = all.find("newcomer");
    return found == all.end() ? 0 : found->second;
  }
  static std::string host(std::size_t number) { return "10.0.1." + std::to_string(number); }

  DeviceId known;  // has a certificate
  std::uint64_t connections = 0;
  std::uint64_t devices = 0;
};

TEST_CASE("of links that never greet there are so many, and their time is short") {
  Entrance rig;
  for (std::size_t i = 0; i < limits::kNewcomers + 40; ++i) {
    rig.connect(Entrance::host(i));
    CHECK(rig.standing() <= limits::kNewcomers);
  }
  CHECK(rig.standing() == limits::kNewcomers);
  CHECK(rig.refused() == 40);
  rig.run_for(seconds(11));
  CHECK(rig.standing() == 0);
}

TEST_CASE("of newcomers a network that holds most makes room, the oldest of it first") {
  Entrance rig;
  const mesh::LinkId first = rig.connect("10.9.9.9");
  const mesh::LinkId second = rig.connect("10.9.9.9");
  for (std::size_t i = 0; i < limits::kNewcomers - 2; ++i)
    rig.connect(Entrance::host(i / 2));
  CHECK(rig.stands(rig.connect("10.9.9.8")));
  CHECK_FALSE(rig.stands(first));
  CHECK(rig.stands(second));
  // Everybody has two at the most now: nobody makes room for a second one.
  CHECK_FALSE(rig.stands(rig.connect("10.9.9.8")));
  CHECK(rig.standing() == limits::kNewcomers);
}

TEST_CASE("who has a certificate takes the place of a newcomer that has none, and keeps it") {
  Entrance rig;
  const mesh::LinkId first = rig.connect(Entrance::host(0));
  for (std::size_t i = 1; i < limits::kNewcomers; ++i)
    rig.connect(Entrance::host(i));
  const mesh::LinkId known = rig.connect(rig.known, Entrance::host(1));
  CHECK(rig.stands(known));
  CHECK_FALSE(rig.stands(first));
  // One that holds fewer takes a place of that network, and not the one of the known device.
  CHECK(rig.stands(rig.connect("10.9.9.9")));
  CHECK(rig.stands(known));
}

TEST_CASE("a device that comes again before it has greeted leaves its older link") {
  Entrance rig;
  const DeviceId device = device_number(1000);
  const mesh::LinkId older = rig.connect(device, "10.9.9.9");
  const mesh::LinkId newer = rig.connect(device, "10.9.9.8");
  CHECK_FALSE(rig.stands(older));
  CHECK(rig.stands(newer));
  CHECK(rig.refused() == 1);
}

}  // namespace
}  // namespace ebb::tests
