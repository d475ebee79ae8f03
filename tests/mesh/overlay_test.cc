// The overlay as it forms among many nodes: connected, balanced, bounded.
#include <doctest/doctest.h>

#include <set>
#include <utility>
#include <vector>

#include "core/limits.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

// Nodes that all know node 0 and nobody else, started one after the other.
struct Crowd : Rig {
  explicit Crowd(std::size_t nodes) : size(nodes) {
    for (std::size_t i = 0; i < size; ++i) {
      add_node(static_cast<std::uint8_t>(i + 1),
               i == 0 ? std::vector<std::size_t>{} : std::vector<std::size_t>{0});
      node(i).config.shuffle_interval = seconds(10);
    }
  }
  void start_all(Duration apart) {
    for (std::size_t i = 0; i < size; ++i) {
      start(i);
      run_for(apart);
    }
  }
  std::size_t greeted(std::size_t i) {
    std::size_t count = 0;
    for (const mesh::LinkStatus& link : engine(i).links())
      count += link.state == "in_sync" ? 1U : 0U;
    return count;
  }
  std::size_t reached_from(std::size_t first) {
    std::set<std::size_t> seen{first};
    std::vector<std::size_t> todo{first};
    while (!todo.empty()) {
      const std::size_t i = todo.back();
      todo.pop_back();
      for (std::size_t j = 0; j < size; ++j) {
        if (streams_between(i, j) > 0 && seen.insert(j).second) todo.push_back(j);
      }
    }
    return seen.size();
  }
  std::size_t size;
};

TEST_CASE("forty nodes that know one contact become a connected mesh of 4 to 8 links each") {
  Crowd rig(40);
  rig.start_all(milliseconds(500));
  rig.run_for(seconds(120));
  std::size_t links = 0;
  for (std::size_t i = 0; i < rig.size; ++i) {
    CAPTURE(i);
    CHECK(rig.greeted(i) >= limits::kOverlayMin);
    CHECK(rig.greeted(i) <= limits::kOverlayLinks);
    links += rig.greeted(i);
  }
  CHECK(rig.reached_from(0) == rig.size);
  CHECK(links >= rig.size * limits::kOverlayAim * 9 / 10);
}

TEST_CASE("links of a mesh with many logs stand, whoever comes and has brought nothing") {
  Crowd rig(40);
  rig.start_all(milliseconds(500));
  const auto write = [&rig] {
    for (std::size_t i = 0; i < rig.size; ++i) {
      rig.append(i, {"events", 1});
      rig.run_for(milliseconds(100));
    }
  };
  for (int round = 0; round < 5; ++round)
    write();
  rig.run_for(seconds(120));
  std::set<std::pair<std::size_t, std::size_t>> before;
  for (std::size_t i = 0; i < rig.size; ++i) {
    for (std::size_t j = 0; j < i; ++j)
      if (rig.streams_between(i, j) > 0) before.insert({i, j});
  }
  REQUIRE(before.size() >= rig.size * limits::kOverlayMin / 2);
  for (int round = 0; round < 10; ++round)
    write();
  std::size_t gone = 0;
  for (const auto& [i, j] : before)
    gone += rig.streams_between(i, j) == 0 ? 1U : 0U;
  MESSAGE("gone: " << gone << " of " << before.size());
  CHECK(gone <= before.size() / 50);
}

TEST_CASE("a third of the mesh dies at once and the rest finds together again") {
  Crowd rig(30);
  rig.start_all(milliseconds(200));
  rig.run_for(seconds(60));
  for (std::size_t i = 20; i < 30; ++i)
    rig.stop(i);
  rig.size = 20;
  rig.run_for(seconds(120));
  CHECK(rig.reached_from(0) == 20);
  for (std::size_t i = 0; i < 20; ++i)
    CHECK(rig.greeted(i) >= limits::kOverlayMin);
}

TEST_CASE("links that fall silent all at once end in time, whatever is dialled meanwhile") {
  Crowd rig(15);
  rig.start_all(milliseconds(50));
  for (std::size_t i = 0; i < rig.size; ++i)
    rig.append(i);
  rig.run_for(seconds(20));
  rig.parted = [](std::size_t, std::size_t) { return true; };
  for (std::size_t i = 0; i < rig.size; ++i) {
    REQUIRE(rig.greeted(i) >= limits::kOverlayMin);
    rig.node(i).mute = true;
  }
  const Duration dead_after = rig.node(0).config.dead_after;
  rig.run_for(dead_after + seconds(1));
  for (std::size_t i = 0; i < rig.size; ++i) {
    CAPTURE(i);
    CHECK(rig.greeted(i) == 0);
  }
}

TEST_CASE("up to eight nodes form a full mesh") {
  Crowd rig(8);
  rig.start_all(milliseconds(300));
  rig.run_for(seconds(30));
  for (std::size_t i = 0; i < 8; ++i)
    CHECK(rig.greeted(i) == 7);
}

// Node 0 with every slot taken by a node that has no other wish than this link.
struct FullHub : Rig {
  // The first so many of them have links to each other, too.
  explicit FullHub(std::size_t joined = 0) {
    add_node(1);
    start(0);
    for (std::size_t i = 1; i <= limits::kOverlayLinks; ++i) {
      std::vector<std::size_t> peers = {0};
      for (std::size_t other = 1; other < i && i <= joined; ++other)
        peers.push_back(other);
      add_node(static_cast<std::uint8_t>(i + 1), peers);
      hide(i);
      start(i);
    }
    append(0);
    run_for(seconds(5));
  }
  // Nobody learns where it listens.
  void hide(std::size_t i) {
    node(i).config.advertise.clear();
    node(i).config.listen_port = 0;
  }
  // A node that is short of links, or has four already among strangers, who write or do not.
  std::size_t add_newcomer(bool is_short, bool strangers_write = false) {
    const std::size_t i = add_node(static_cast<std::uint8_t>(100 + size()), {0});
    hide(i);
    for (std::uint8_t k = 0; !is_short && k < limits::kOverlayMin; ++k) {
      const std::size_t friend_of = add_node(static_cast<std::uint8_t>(100 + size()), {i});
      hide(friend_of);
      start(friend_of);
      if (strangers_write) append(friend_of);
    }
    if (!is_short) node(i).config.peers.clear();
    start(i);
    run_for(seconds(5));
    if (!is_short) input(i, mesh::AddPeer{address(0)});
    run_for(seconds(5));
    return i;
  }
};

TEST_CASE("beyond the slots a link is caught up and then ends") {
  FullHub rig;
  REQUIRE(rig.engine(0).links().size() == limits::kOverlayLinks);
  const std::size_t late = rig.add_newcomer(false);
  CHECK(rig.store(late).events() == 1);
  CHECK(rig.streams_between(0, late) == 0);
  CHECK(rig.engine(0).links().size() == limits::kOverlayLinks);
  CHECK(rig.node(0).faults.empty());
  // It is tried again, but not in a hurry.
  CHECK(rig.node(late).dial_times.size() == 1);
}

TEST_CASE("a node that is short of links takes the slot of another one") {
  FullHub rig;
  const std::size_t late = rig.add_newcomer(true);
  CHECK(rig.store(late).events() == 1);
  CHECK(rig.streams_between(0, late) == 1);
  std::size_t kept = 0;
  for (std::size_t i = 1; i <= limits::kOverlayLinks; ++i)
    kept += rig.streams_between(0, i);
  CHECK(kept == limits::kOverlayLinks - 1);
}

TEST_CASE(
    "who is short of links takes the slot of one that brings nothing, as long as there is one") {
  FullHub rig;
  constexpr std::size_t kWriters = 4;
  for (std::size_t i = 1; i <= kWriters; ++i)
    rig.append(i);
  rig.run_for(seconds(1));
  std::vector<std::size_t> newcomers;
  for (std::size_t n = 0; n < 2 * kWriters; ++n)
    newcomers.push_back(rig.add_newcomer(true));
  for (std::size_t i = 1; i <= kWriters; ++i)
    CHECK(rig.streams_between(0, i) == 1);
  CHECK(rig.engine(0).links().size() == limits::kOverlayLinks);
  CHECK(rig.streams_between(0, newcomers.back()) == 1);
}

TEST_CASE(
    "who is short of links gets a slot where every link brings something, and time to do so") {
  FullHub rig;
  for (std::size_t i = 1; i <= limits::kOverlayLinks; ++i)
    rig.append(i);
  rig.run_for(seconds(12));
  const std::size_t late = rig.add_node(100, {0});
  rig.hide(late);
  rig.start(late);
  rig.run_for(seconds(3));
  CHECK(rig.streams_between(0, late) == 1);
  rig.append(late);
  rig.run_for(seconds(20));
  CHECK(rig.streams_between(0, late) == 1);
  CHECK(rig.engine(0).links().size() == limits::kOverlayLinks);
}

TEST_CASE("nobody loses his only link to one that is short while others have the news twice") {
  constexpr std::size_t kJoined = 4;
  FullHub rig(kJoined);
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i <= limits::kOverlayLinks; ++i)
      rig.append(i);
    rig.run_for(seconds(1));
  }
  std::vector<std::size_t> newcomers;
  for (std::size_t n = 0; n < kJoined; ++n)
    newcomers.push_back(rig.add_newcomer(true));
  for (const std::size_t newcomer : newcomers)
    CHECK(rig.streams_between(0, newcomer) == 1);
  for (std::size_t i = kJoined + 1; i <= limits::kOverlayLinks; ++i)
    CHECK(rig.streams_between(0, i) == 1);
  CHECK(rig.engine(0).links().size() == limits::kOverlayLinks);
}

TEST_CASE("beyond the slots a link that brings more than another takes its slot") {
  FullHub rig;
  const std::size_t late = rig.add_newcomer(false, true);
  CHECK(rig.store(0).events() == 1 + limits::kOverlayMin);
  CHECK(rig.streams_between(0, late) == 1);
  CHECK(rig.engine(0).links().size() == limits::kOverlayLinks);
  CHECK(rig.node(0).faults.empty());
  // What is written over there later does not wait for another dial.
  rig.append(late + 1);
  rig.run_for(seconds(1));
  CHECK(rig.store(0).events() == 2 + limits::kOverlayMin);
}

TEST_CASE("a shuffle spreads addresses between nodes that have links enough") {
  Crowd rig(24);
  rig.start_all(milliseconds(200));
  rig.run_for(seconds(30));
  const auto known = [&rig] {
    std::size_t sum = 0;
    for (std::size_t i = 0; i < rig.size; ++i)
      sum += rig.engine(i).peers().size();
    return sum;
  };
  const std::size_t before = known();
  rig.run_for(seconds(300));
  CHECK(known() > before);
  CHECK(known() >= rig.size * (rig.size - 1) * 9 / 10);
}

TEST_CASE("what others say of an address does not replace what the device said itself") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.add_node(3, {0});
  for (std::size_t i = 0; i < 3; ++i)
    rig.start(i);
  rig.run_for(seconds(5));
  // A fourth one tells of node 1 elsewhere.
  rig.add_node(4, {0});
  mesh::PeerSeen wrong;
  wrong.device = rig.store(1).device();
  wrong.address = "nowhere:7000";
  wrong.heard = {1};
  rig.node(3).seen = {wrong};
  rig.start(3);
  rig.run_for(seconds(5));
  for (const mesh::KnownPeer& peer : rig.engine(0).peers())
    CHECK(peer.address != "nowhere:7000");
}

TEST_CASE("the passive view survives a restart") {
  Crowd rig(24);
  rig.start_all(milliseconds(200));
  rig.run_for(seconds(200));
  const std::size_t known = rig.engine(5).peers().size();
  REQUIRE(known > limits::kOverlayLinks);
  rig.stop(5);
  rig.node(5).config.peers.clear();
  rig.start(5);
  CHECK(rig.engine(5).peers().size() >= known * 3 / 4);
  rig.run_for(seconds(30));
  CHECK(rig.greeted(5) >= limits::kOverlayMin);
}

}  // namespace
}  // namespace ebb::tests
