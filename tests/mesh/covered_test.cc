// How far a live link's peer is believed, and told, to hold everything.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "tests/mesh/crowd.h"
#include "tests/mesh/raw_peer.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

// Two peers of which nothing is missing any more.
void make_live(Crowd& crowd) {
  for (std::size_t peer = 0; peer < crowd.size(); ++peer) {
    crowd.set_reading(peer);
    crowd.send(peer, codec::SyncList{});
    codec::Ack done;
    done.reconciliation.data[15] = 9;
    done.done = true;
    crowd.send(peer, done);
  }
}

// A push goes on ahead of its commit, so whoever gets it that way may speak of it before we do.
TEST_CASE("what was pushed on and not stored keeps the cursor of the peer that has it") {
  FakeStore author(9);
  const auto segment = author.append({"a", 1}).own_segments[0];
  Crowd crowd(2);
  crowd.greet();
  make_live(crowd);
  bool stored = true;
  SUBCASE("stored") {}
  SUBCASE("lost, and its source takes it back") { stored = false; }
  crowd.store.failing = !stored;
  crowd.send(0, delta_of({segment}));
  REQUIRE(crowd.count<codec::Delta>(1) == 1);
  crowd.store.failing = false;
  if (!stored) {
    crowd.run_for(seconds(2));
    REQUIRE(crowd.count<codec::Want>(0) == 1);
    codec::Delta nothing;
    nothing.last = true;
    crowd.send(0, nothing);
    REQUIRE(crowd.engine->events_known() == 0);
  }
  crowd.send(1, codec::Have{{}, 9});
  CHECK(crowd.store.events() == (stored ? 1 : 0));
  CHECK(crowd.store.cursors().size() == (stored ? 1 : 0));
}

TEST_CASE("a peer that wants what it had announced is not told that it holds it") {
  FakeStore store(1);
  RawPeer peer(store, 2);
  peer.greet();
  const auto append = [&](const std::string& topic) {
    peer.input(store.append({topic, 1}));
    codec::Ack ack;
    ack.durable = {{store.own_log(topic), 1}};
    peer.send(ack);
  };
  append("a");
  append("b");
  bool lost = false;
  SUBCASE("it holds it") {}
  SUBCASE("it has lost it") { lost = true; }
  if (lost) peer.send(codec::Want{{}, {{store.own_log("b"), 1, 0}}});
  peer.run_until(peer.now + seconds(11));
  Arrival told = 0;
  while (const auto have = peer.take<codec::Have>())
    told = std::max(told, have->covered);
  CHECK(told == (lost ? 1 : 2));
}

TEST_CASE("control records that both ends have from a third are known to both") {
  Rig rig;
  rig.add_node(1, {1, 2});
  rig.add_node(2, {2});
  rig.add_node(3);
  for (std::size_t i = 0; i < 3; ++i)
    rig.start(i);
  rig.run_for(seconds(5));
  for (int i = 0; i < 20; ++i) {
    rig.append(static_cast<std::size_t>(i % 3), {"_ebb", 1});
    rig.run_for(milliseconds(700));
  }
  rig.run_for(seconds(25));
  for (std::size_t i = 0; i < 3; ++i) {
    CAPTURE(i);
    for (const mesh::LinkStatus& link : rig.engine(i).links()) {
      CHECK(link.missing_there == 0);
      CHECK(link.missing_here == 0);
    }
    // So the cursors of both others stand at the end.
    REQUIRE(rig.store(i).cursors().size() == 2);
    for (const auto& [device, cursor] : rig.store(i).cursors()) {
      for (std::size_t other = 0; other < 3; ++other) {
        if (rig.store(other).device() == device) {
          CHECK(cursor.arrival == rig.store(other).arrival_head());
        }
      }
    }
  }
}

}  // namespace
}  // namespace ebb::tests
