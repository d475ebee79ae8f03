#include <doctest/doctest.h>

#include "tests/mesh/many_logs.h"
#include "tests/mesh/own_logs.h"
#include "tests/mesh/raw_peer.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

TEST_CASE("nothing of our own logs goes out before the peer has shown its view of them") {
  FakeStore store(1);
  static_cast<void>(store.append({"a", 5}));
  RawPeer peer(store, 2);
  peer.connect();
  peer.send(peer.hello());
  peer.forget_received();
  // Everything that could make the engine talk of its own log.
  peer.send(codec::SyncListReq{});
  codec::Want want;
  want.ranges = {{store.own_log("a"), 1, 0}};
  peer.send(want);
  peer.input(store.append({"a", 1}));
  peer.run_until(peer.now + seconds(2));
  CHECK(peer.reads().empty());
  CHECK(!peer.take<codec::SyncList>());
  CHECK(peer.engine().counters().pushes_sent == 0);

  peer.send(codec::YourLogsSummary{});
  const auto list = peer.take<codec::SyncList>();
  REQUIRE(list);
  REQUIRE(list->heads.size() == 1);
  CHECK(list->heads[0].seq == 6);
}

TEST_CASE("a peer that lags behind is asked for its heads once and then served") {
  FakeStore store(1);
  static_cast<void>(store.append({"a", 5}));
  const mesh::StoredHead old = store.heads()[0];
  static_cast<void>(store.append({"a", 5}));
  RawPeer peer(store, 2);
  peer.connect();
  codec::Hello hello = peer.hello();
  hello.count = 1;
  peer.send(hello);
  peer.send(other_summary());
  CHECK(peer.take<codec::YourLogsAsk>());
  peer.send(codec::YourLogsHeads{{signed_head(old)}, false});
  CHECK(!found_rollback(peer.notices()));
  CHECK(peer.take<codec::SyncListReq>());
  CHECK(peer.reads().size() == 1);  // what the store holds at 5
  codec::Want want;
  want.ranges = {{old.log, 6, 0}};
  peer.send(want);
  CHECK(peer.reads().size() == 2);
}

TEST_CASE("a rolled-back device learns of it, stays silent, and fetches its lost events back") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.start(0);
  rig.start(1);
  for (int i = 0; i < 10; ++i)
    rig.append(0, {"a", 4});
  rig.append(0, {"b", 4});
  rig.run_for(seconds(3));
  REQUIRE(rig.store(1).events() == 44);
  rig.stop(0);
  rig.run_for(seconds(1));
  // Back from an old backup: three segments of one topic and the whole of another are unknown.
  const LogId a = rig.store(0).own_log("a");
  rig.store(0).roll_back(a, 3);
  rig.store(0).roll_back(rig.store(0).own_log("b"), 1);
  rig.node(0).notices.clear();
  rig.start(0);
  rig.run_for(seconds(5));
  REQUIRE(found_rollback(rig.node(0).notices));
  CHECK(rig.engine(0).counters().rollbacks_found == 1);
  CHECK(rig.store(0).events() == 28);  // of a live log nothing is taken from others
  CHECK(rig.store(1).events() == 44);

  // Before the new incarnation nothing more of the old one goes out.
  rig.append(0, {"c", 1});
  rig.run_for(seconds(1));
  CHECK(rig.store(1).events() == 44);

  rig.input(0, rig.store(0).begin_anew(2));
  rig.append(0, {"a", 1});
  rig.run_for(seconds(5));
  CHECK(rig.store(0).events() == 46);
  CHECK(rig.engine(0).root() == rig.engine(1).root());
}

TEST_CASE("what was lost of an incarnation that has ended is fetched, whatever the cursors say") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.start(0);
  rig.start(1);
  for (int i = 0; i < 5; ++i)
    rig.append(0, {"a", 2});
  rig.run_for(seconds(15));
  REQUIRE(rig.store(1).events() == 10);
  rig.stop(0);
  rig.run_for(seconds(1));
  REQUIRE(rig.store(0).cursors().size() == 1);
  REQUIRE(rig.store(0).cursors()[0].second.arrival == rig.store(1).arrival_head());
  // A crash between the new incarnation and the return of what was lost.
  rig.store(0).roll_back(rig.store(0).own_log("a"), 3);
  static_cast<void>(rig.store(0).begin_anew(2));
  rig.start(0);
  rig.run_for(seconds(5));
  CHECK(rig.store(0).events() == 10);
  CHECK(rig.engine(0).counters().rollbacks_found == 0);
}

TEST_CASE("an incarnation of which the store holds nothing is a rollback, once, and comes back") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.start(0);
  rig.start(1);
  rig.append(0, {"a", 4});
  rig.run_for(seconds(3));
  const auto backup = rig.store(0).back_up();
  // The clock is set right, say: all of the incarnation before is in the backup.
  rig.store(0).begin_incarnation(2);
  rig.input(0, mesh::IncarnationBegun{2, rig.store(0).epoch()});
  rig.append(0, {"a", 2});
  rig.append(0, {"b", 3});
  rig.run_for(seconds(3));
  REQUIRE(rig.store(1).events() == 9);
  REQUIRE(rig.engine(0).counters().rollbacks_found == 0);
  rig.stop(0);
  rig.run_for(seconds(1));
  rig.store(0).restore(*backup, false);
  rig.store(0).begin_incarnation(1);
  rig.start(0);
  rig.run_for(seconds(5));
  CHECK(found_rollback(rig.node(0).notices));
  CHECK(rig.engine(0).counters().rollbacks_found == 1);
  // Nothing more is published of what that incarnation had closed.
  rig.append(0, {"a", 1});
  rig.run_for(seconds(1));
  CHECK(rig.store(1).events() == 9);

  rig.input(0, rig.store(0).begin_anew(3));
  rig.append(0, {"a", 1});
  rig.run_for(seconds(5));
  CHECK(rig.store(0).events() == 11);
  CHECK(rig.engine(0).root() == rig.engine(1).root());
  CHECK(rig.engine(0).counters().rollbacks_found == 1);
}

TEST_CASE(
    "a pushed segment of ours, of an incarnation that is not stored, is a rollback and kept") {
  FakeStore store(1);
  static_cast<void>(store.append({"a", 1}));
  FakeStore later(1, 2);
  const trust::VerifiedSegment lost = later.append({"a", 1}).own_segments[0];
  const trust::VerifiedSegment more = later.append({"a", 1}).own_segments[0];
  const trust::VerifiedSegment other = later.append({"b", 1}).own_segments[0];
  RawPeer peer(store, 2);
  peer.greet();
  peer.send(delta_of({lost}));
  CHECK(found_rollback(peer.notices()));
  peer.input(store.begin_anew(3));
  peer.greet();
  peer.send(delta_of({more}));
  peer.send(delta_of({other}));
  CHECK(peer.engine().counters().rollbacks_found == 1);
  CHECK(store.events() == 4);
}

// A node that was set back without knowing it, and has received other events since: its peer's
// cursor names an arrival that is one of these now.
TEST_CASE("where a rollback is found the peer is told all, not what its cursor leaves out") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2, {0});
  Authors authors(1);
  const auto backup = rig.store(0).back_up();
  rig.start(0);
  rig.start(1);
  for (int i = 0; i < 3; ++i)
    rig.append(0, {"a", 1});
  rig.run_for(seconds(15));
  rig.stop(0);
  rig.stop(1);
  rig.run_for(seconds(1));
  REQUIRE(rig.store(1).cursors().size() == 1);
  REQUIRE(rig.store(1).cursors()[0].second.arrival == 3);
  rig.store(0).restore(*backup, false);
  for (Incarnation incarnation = 1; incarnation <= 5; ++incarnation)
    store_segment(rig.store(0), authors.append(0, incarnation));
  rig.start(0);
  rig.start(1);
  rig.run_for(seconds(5));
  REQUIRE(found_rollback(rig.node(0).notices));
  CHECK(rig.store(1).events() == 8);
  CHECK(rig.node(1).rows.back().kind != "cursor");

  // The new epoch goes into every HELLO from then on.
  rig.input(0, rig.store(0).begin_anew(2));
  rig.run_for(seconds(2));
  CHECK(rig.store(0).events() == 8);
  rig.stop(1);
  rig.start(1);
  rig.run_for(seconds(15));
  CHECK(rig.store(1).cursors()[0].second.epoch == rig.store(0).epoch());
}

TEST_CASE("a store that takes another epoch has its links greet anew, with that") {
  FakeStore store(1);
  static_cast<void>(store.append({"a", 5}));
  RawPeer peer(store, 2);
  peer.greet();
  peer.input(mesh::IncarnationBegun{2, store.epoch()});
  CHECK(!peer.closed());
  peer.input(mesh::IncarnationBegun{3, 77});
  CHECK(peer.closed());
  peer.forget_received();
  peer.connect();
  const auto hello = peer.take<codec::Hello>();
  REQUIRE(hello);
  CHECK(hello->epoch == 77);
}

TEST_CASE("the same sequence number with another chain is a rollback too") {
  FakeStore store(1);
  FakeStore twin(1);
  static_cast<void>(twin.append({"a", 5}));
  static_cast<void>(store.append({"a", 5, 9}));
  RawPeer peer(store, 2);
  peer.connect();
  peer.send(peer.hello());
  peer.send(other_summary());
  peer.send(codec::YourLogsHeads{{signed_head(twin.heads()[0])}, false});
  CHECK(found_rollback(peer.notices()));
  const auto list = peer.take<codec::SyncList>();
  CHECK(!list);
  peer.send(codec::SyncListReq{});
  const auto filtered = peer.take<codec::SyncList>();
  REQUIRE(filtered);
  CHECK(filtered->heads.empty());
}

// A store that was set back to 4 events and went on to 13 before anybody told it, and what a peer
// was given before: 9.
}  // namespace
}  // namespace ebb::tests
