// Whom gossip makes a node dial, and how often.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "core/limits.h"
#include "tests/mesh/datagram_peer.h"
#include "tests/mesh/many_logs.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

DeviceId made_up_device(std::uint32_t number) {
  DeviceId device;
  device.data[0] = static_cast<std::uint8_t>(number);
  device.data[1] = static_cast<std::uint8_t>(number >> 8);
  device.data[2] = 1;
  return device;
}

mesh::PeerSeen seen_at(const DeviceId& device, const std::string& address) {
  mesh::PeerSeen seen;
  seen.device = device;
  seen.address = address;
  seen.heard = {1};
  return seen;
}

// Node 0 has all the links that it wants, so that nothing but gossip makes it dial.
struct Full : Rig {
  static constexpr std::size_t kNodes = limits::kOverlayLinks + 1;
  Full() {
    add_node(1);
    for (std::size_t i = 1; i < kNodes; ++i)
      add_node(static_cast<std::uint8_t>(i + 1), {0});
  }
  void start_all() {
    for (std::size_t i = 0; i < size(); ++i)
      start(i);
    run_for(seconds(30));
    REQUIRE(engine(0).links().size() == limits::kOverlayLinks);
  }
};

}  // namespace

TEST_CASE("an address that was heard nearby is dialled while links are wanted, and not beyond") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2);
  rig.start(0);
  rig.start(1);
  rig.input(0, mesh::AddressHeard{rig.address(1)});
  rig.input(0, mesh::AddressHeard{rig.address(1)});
  rig.input(0, mesh::AddressHeard{"no address"});
  rig.run_for(seconds(3));
  CHECK(rig.engine(0).links().size() == 1);
  CHECK(rig.engine(0).counters().dials == 1);
  // The other one hears it, too.
  rig.input(1, mesh::AddressHeard{rig.address(0)});
  rig.run_for(seconds(30));
  CHECK(rig.engine(1).counters().dials == 0);

  Full full;
  full.add_node(200);
  full.start_all();
  const std::uint64_t before = full.engine(0).counters().dials;
  for (std::uint32_t number = 0; number < 3 * limits::kPassiveView; ++number) {
    full.input(0, mesh::AddressHeard{"10.9.9.9:" + std::to_string(1000 + number)});
  }
  full.run_for(seconds(10));
  CHECK(full.engine(0).counters().dials == before);
  CHECK(full.engine(0).peers().size() <= Full::kNodes + limits::kPassiveView);
}

TEST_CASE("nobody whom we have not chosen makes us dial, whatever he shows") {
  bool more_of_ours = false;
  SUBCASE("that he lacks more than datagrams hold") {}
  SUBCASE("more of our own than there is") { more_of_ours = true; }
  Full rig;
  for (std::size_t i = 0; i < Full::kNodes; ++i) {
    for (std::uint64_t number = 0; number < 300; ++number)
      rig.store(i).add_head(made_up_head(number));
  }
  rig.node(0).config.gossip_interval = seconds(100000);
  rig.start_all();
  rig.append(0, {"a", 1});
  const std::size_t before = rig.node(0).dial_times.size();
  const LogId own = rig.store(0).own_log("a");
  for (std::uint32_t i = 0; i < 200; ++i) {
    DatagramPeer stranger(rig, "h" + std::to_string(i) + ":9", made_up_device(i));
    stranger.connect();
    codec::RootDatagram root = stranger.root();
    if (more_of_ours) {
      root.view_count = 1;
      root.view_heads = {{own, 7, {}}};
    }
    stranger.send(root);
    stranger.send(codec::HeadsDatagram{{{own, 9, {}}, {LogId{}, 5, {}}}});
    rig.run_for(seconds(1));
  }
  CHECK(rig.node(0).dial_times.size() == before);
}

TEST_CASE("few addresses at once are dialled for gossip alone, the others stay spare") {
  Rig rig;
  rig.add_node(1);
  // None is dialled meanwhile.
  rig.node(0).config.dial_backoff_min = seconds(100000000);
  rig.node(0).config.dial_backoff_max = seconds(100000000);
  rig.node(0).config.gossip_keep = seconds(20);
  for (std::uint32_t i = 0; i < limits::kPassiveView; ++i)
    rig.node(0).seen.push_back(seen_at(made_up_device(i), "known" + std::to_string(i) + ":9"));
  rig.start(0);
  rig.run_for(seconds(3000));
  REQUIRE(rig.engine(0).counters().gossip.at("by_link") > limits::kPassiveView);
  for (std::uint32_t i = 0; i < 100; ++i) {
    DatagramPeer stranger(rig, "h" + std::to_string(i) + ":9", made_up_device(1000 + i));
    stranger.connect();
    stranger.send(stranger.root());
    rig.run_for(seconds(1));
  }
  CHECK(rig.node(0).dial_times.empty());
  CHECK(rig.engine(0).peers().size() <= limits::kPassiveView + limits::kUrgentDials);
}

namespace {

// Two meshes, each with its own branch of a device's log. Node 0 of one and kFirst of the other
// hear of each other. Node 0 has all the links that it wants, so there is no room for kFirst, who
// has enough not to be given any, and dials nobody.
struct Forked : Full {
  static constexpr std::size_t kFirst = kNodes;
  static constexpr std::size_t kSecond = limits::kOverlayMin + 1;  // nodes
  // `joined`: a link leads from one mesh into the other all the time.
  explicit Forked(bool joined) {
    for (std::size_t i = 0; i < kSecond; ++i)
      add_node(static_cast<std::uint8_t>(kFirst + i + 1),
               i == 0 ? std::vector<std::size_t>{} : std::vector<std::size_t>{kFirst});
    node(kFirst).config.dial_backoff_min = seconds(100000);
    node(kFirst).config.dial_backoff_max = seconds(100000);
    FakeStore original(200);
    FakeStore copy(200);
    store_segment(store(0), original.append({"forked", 1, 10}).own_segments.at(0));
    store_segment(store(kFirst), copy.append({"forked", 1, 20}).own_segments.at(0));
    for (std::size_t i = 0; i < 2; ++i) {
      node(i).seen = {seen_at(store(kFirst + i).device(), address(kFirst + i))};
      node(kFirst + i).seen = {seen_at(store(i).device(), address(i))};
    }
    part(false, joined);
    start_all();
    part(true, joined);
    run_for(seconds(60));
  }
  void part(bool met, bool joined) {
    parted = [met, joined](std::size_t a, std::size_t b) {
      const auto [low, high] = std::minmax(a, b);
      // So that both have room for a link into the other mesh.
      if (low == 1 && high == 2) return joined;
      if (high < kFirst || low >= kFirst) return false;
      const bool meets = low == 0 && high == kFirst;
      const bool joins = low == 1 && high == kFirst + 1;
      return !((met && meets) || (met && joined && joins));
    };
  }
  // How often node 0 has had a link to the other mesh.
  std::size_t links_between() {
    const auto& notices = node(0).notices;
    return static_cast<std::size_t>(
        std::count_if(notices.begin(), notices.end(), [this](const mesh::Notice& notice) {
          return notice.kind == mesh::NoticeKind::kLinkEstablished &&
                 notice.peer == store(kFirst).device();
        }));
  }
};

}  // namespace

TEST_CASE("nodes that differ for good dial each other ever more seldom, until something is new") {
  bool writes = false;
  SUBCASE("while nothing is written") {}
  SUBCASE("while a mesh is written to that is one but for the two histories") { writes = true; }
  Forked rig(writes);
  for (int i = 0; i < 3600; ++i) {
    if (writes) rig.append(0, {"a", 1});
    rig.run_for(seconds(1));
  }
  MESSAGE("links in an hour: " << rig.links_between());
  CHECK(rig.links_between() >= 2);
  CHECK(rig.links_between() <= 10);  // after 0, 1, 3, 7, 15, 25, 35, 45 and 55 minutes
  CHECK(rig.store(Forked::kFirst).events() == 1 + (writes ? 3600 : 0));
  if (writes) return;
  // No datagram can carry this one.
  rig.append(0, {"b", 1, 3000});
  rig.run_for(seconds(240));
  CHECK(rig.store(Forked::kFirst).events() == 2);
}

}  // namespace ebb::tests
