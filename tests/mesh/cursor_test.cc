// Which cursors are kept and moved, and what they leave out. Many sessions with cuts and restores:
// cursor_sessions_test.cc.
#include <doctest/doctest.h>

#include <utility>

#include "tests/mesh/many_logs.h"
#include "tests/mesh/raw_peer.h"

namespace ebb::tests {
namespace {

// Greets as a peer of epoch 7 with 30 arrivals, of which it is asked for the list.
ReconciliationId begin_list(RawPeer& peer) {
  codec::Hello hello = peer.hello();
  hello.epoch = 7;
  hello.arrival_head = 30;
  hello.count = 1;
  peer.connect();
  peer.send(hello);
  peer.send(codec::YourLogsSummary{});
  REQUIRE(peer.take<codec::SyncListReq>());
  return hello.reconciliation;
}

void say_done(RawPeer& peer, const ReconciliationId& exchange) {
  codec::Ack done;
  done.reconciliation = exchange;
  done.done = true;
  peer.send(done);
}

TEST_CASE("a first sync leaves both cursors at its end") {
  Authors authors(10);
  SyncPair rig(0);
  for (std::size_t i = 0; i < 500; ++i)
    store_segment(rig.store(0), authors.append(i % 10, 1 + i / 10));
  rig.meet();
  REQUIRE(rig.equal());
  store_segment(rig.store(0), authors.append(0, 1));
  rig.meet();
  CHECK(rig.equal());
  CHECK(rig.last_row(0).kind == "cursor");
  CHECK(rig.last_row(1).kind == "cursor");
  CHECK(rig.last_row(1).heads_compared == 1);
  CHECK(rig.cost.sync_bytes <= 100);
}

TEST_CASE("cursors follow a live link, so that the next one begins where it ended") {
  SyncPair rig(0);
  rig.start(1);
  rig.start(0);
  for (int i = 0; i < 300; ++i) {
    rig.append(static_cast<std::size_t>(i % 2), {"t" + std::to_string(i % 30), 1});
    rig.run_for(milliseconds(300));
  }
  rig.run_for(seconds(11));
  rig.stop(0);
  rig.stop(1);
  static_cast<void>(rig.store(0).append({"t0", 1}));
  rig.meet();
  CHECK(rig.equal());
  CHECK(rig.last_row(1).kind == "cursor");
  CHECK(rig.last_row(1).heads_compared == 1);
  CHECK(rig.last_row(0).heads_compared == 0);
}

TEST_CASE("a cursor that the peer tells waits until what it announced is stored") {
  FakeStore store(1);
  FakeStore author(9);
  const auto segment = author.append({"a", 2}).own_segments[0];
  RawPeer peer(store, 2);
  peer.greet();
  peer.send(codec::Have{{{segment.log, 2}}, 9});
  CHECK(peer.cursors().empty());
  peer.send(delta_of({segment}));
  REQUIRE(store.events() == 2);
  REQUIRE(peer.cursors().size() == 1);
  CHECK(peer.cursors()[0].cursor.arrival == 9);
  // Never back.
  peer.send(codec::Have{{}, 4});
  CHECK(peer.cursors().size() == 1);
}

// The later of two arrivals is told first, as when one transaction answers several requests.
TEST_CASE("nothing is announced or covered past what is still to be told of a transaction") {
  FakeStore store(1);
  mesh::Config config;
  config.cover_interval = milliseconds(1);
  RawPeer peer(store, 2, config);
  peer.greet();
  mesh::Committed first = store.append({"a", 1});
  mesh::Committed second = store.append({"b", 1});
  const LogId a = first.own_segments[0].log;
  const LogId b = second.own_segments[0].log;
  // Too large to be pushed, say.
  first.own_segments.clear();
  second.own_segments.clear();
  first.arrival_head = std::exchange(second.arrival_head, 0);
  peer.forget_received();
  peer.input(second);
  codec::Ack ack;
  ack.durable = {{b, 1}};
  peer.send(ack);
  peer.run_until(peer.now + seconds(1));
  CHECK(!peer.take<codec::Have>());

  peer.input(first);
  peer.run_until(peer.now + seconds(1));
  const auto have = peer.take<codec::Have>();
  REQUIRE(have);
  REQUIRE(have->heads.size() == 1);
  CHECK(have->heads[0] == codec::LogSeq{a, 1});
  CHECK(have->covered == 0);
  ack.durable = {{a, 1}};
  peer.send(ack);
  const auto covered = peer.take<codec::Have>();
  REQUIRE(covered);
  CHECK(covered->covered == 2);
}

TEST_CASE("two nodes that have lost what both cursors promise find out by their roots") {
  Authors authors(2);
  SyncPair rig(200);
  const auto segment = authors.append(0, 1);
  store_segment(rig.store(0), segment);
  store_segment(rig.store(0), authors.append(1, 1));
  rig.meet();
  rig.meet();  // now each has told the other everything
  REQUIRE(rig.equal());
  rig.store(1).lose(segment.log);
  rig.meet();
  CHECK(rig.equal());
  CHECK(rig.last_row(1).kind == "ranges");
}

TEST_CASE("a cursor of another epoch is worth nothing") {
  Authors authors(2);
  SyncPair rig(200);
  store_segment(rig.store(0), authors.append(0, 1));
  rig.meet();
  REQUIRE(rig.equal());
  const auto backup = rig.store(0).back_up();
  rig.store(0).restore(*backup, true);
  store_segment(rig.store(0), authors.append(1, 1));
  rig.meet();
  CHECK(rig.equal());
  CHECK(rig.last_row(1).kind == "ranges");  // its cursor of the restored node
  CHECK(rig.last_row(0).kind == "cursor");  // that of the other way still holds
  rig.meet();
  CHECK(rig.last_row(1).kind == "hello");
}

TEST_CASE("a cursor beyond what the peer has means nothing when the peer grows past it") {
  Authors authors(4);
  SyncPair rig(0);
  for (std::size_t i = 0; i < 100; ++i)
    store_segment(rig.store(0), authors.append(0, 1 + i));
  const auto backup = rig.store(0).back_up();
  // One log that comes back with a single commit, so that the numbers stay low.
  for (std::size_t i = 0; i < 50; ++i)
    store_segment(rig.store(0), authors.append(1, 1));
  rig.meet();
  REQUIRE(rig.equal());
  REQUIRE(rig.store(1).cursors().at(0).second.arrival == 150);
  rig.store(0).restore(*backup, false);
  rig.meet();
  REQUIRE(rig.equal());
  REQUIRE(rig.store(0).arrival_head() < 160);
  REQUIRE(rig.store(1).cursors().at(0).second.arrival <= rig.store(0).arrival_head());
  for (std::size_t i = 0; i < 60; ++i)
    store_segment(rig.store(0), authors.append(2, 1 + i));
  REQUIRE(rig.store(0).arrival_head() > 150);
  rig.meet();
  CHECK(rig.equal());
  CHECK(rig.last_row(1).outcome == "in_sync");
}

TEST_CASE("a cursor stays where it is when what was announced is not to be had") {
  FakeStore store(1);
  FakeStore author(9);
  const auto segment = author.append({"a", 3}).own_segments[0];
  RawPeer peer(store, 2);
  const ReconciliationId exchange = begin_list(peer);
  peer.send(codec::SyncList{{{segment.log, 3, {}}}, false, 30});
  REQUIRE(peer.take<codec::Want>());
  codec::Delta delta = delta_of({segment});
  SUBCASE("it never comes") { delta = {}; }
  SUBCASE("it comes") {}
  const bool comes = !delta.segments.empty();
  delta.reconciliation = exchange;
  delta.last = true;
  peer.send(delta);
  say_done(peer, exchange);
  REQUIRE(peer.rows().size() == 1);
  CHECK(peer.rows()[0].outcome == (comes ? "in_sync" : "left_out"));
  REQUIRE(peer.cursors().size() == (comes ? 1 : 0));
  if (comes) CHECK(peer.cursors()[0].cursor == codec::Cursor{7, 30});
}

TEST_CASE("a cursor goes no further than the peer says its list covers") {
  FakeStore store(1);
  RawPeer peer(store, 2);
  const ReconciliationId exchange = begin_list(peer);
  peer.send(codec::SyncList{{}, false, 12});
  say_done(peer, exchange);
  REQUIRE(peer.cursors().size() == 1);
  CHECK(peer.cursors()[0].cursor == codec::Cursor{7, 12});
}

TEST_CASE("cursors are bounded: a new one takes the place of the peer that greeted longest ago") {
  FakeStore store(1);
  mesh::Config config;
  config.cursors = {{FakeStore(2).device(), {5, 12}}};
  for (std::size_t i = 1; i < limits::kStoredPeers; ++i) {
    DeviceId device;
    device.data.fill(0xdd);
    device.data[1] = static_cast<std::uint8_t>(i);
    config.cursors.emplace_back(device, codec::Cursor{1, 1});
  }
  RawPeer peer(store, 2, config);
  // It has one, of another epoch: nothing has to go.
  ReconciliationId exchange = begin_list(peer);
  peer.send(codec::SyncList{{}, false, 20});
  say_done(peer, exchange);
  REQUIRE(peer.cursors().size() == 1);
  config.cursors[0].first.data.fill(0xee);  // the first to be told, and the last by its id
  RawPeer stranger(store, 2, config);
  exchange = begin_list(stranger);
  stranger.send(codec::SyncList{{}, false, 20});
  say_done(stranger, exchange);
  REQUIRE(stranger.cursors().size() == 2);
  CHECK(stranger.cursors()[0].cursor.arrival == 0);
  CHECK(stranger.cursors()[0].peer == config.cursors[0].first);
  CHECK(stranger.cursors()[1].peer == FakeStore(2).device());
  CHECK(stranger.cursors()[1].cursor == codec::Cursor{7, 20});
}

TEST_CASE("a peer that was offline gets any number of changes by cursor, another one is refused") {
  FakeStore store(1);
  for (std::uint64_t number = 0; number < 6000; ++number)
    store.add_head(made_up_head(number));
  const auto changes_for = [&](Arrival seen_of_peer) {
    mesh::Config config;
    config.cursors = {{FakeStore(2).device(), {5, 100}}};
    RawPeer peer(store, 2, config);
    codec::Hello hello = peer.hello();
    hello.epoch = 5;
    hello.arrival_head = seen_of_peer;
    hello.count = 3;
    hello.cursor = {store.epoch(), 1};
    peer.connect();
    peer.send(hello);
    peer.send(codec::YourLogsSummary{});
    std::size_t heads = 0;
    while (const auto changes = peer.take<codec::SyncChanges>()) {
      heads += changes->heads.size() + changes->whole.size();
      CHECK(changes->too_many == (seen_of_peer > 5000));
    }
    return heads;
  };
  CHECK(changes_for(110) == 5999);
  CHECK(changes_for(9000) == 0);
}

}  // namespace
}  // namespace ebb::tests
