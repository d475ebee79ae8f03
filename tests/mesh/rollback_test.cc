#include <doctest/doctest.h>

#include "tests/mesh/many_logs.h"
#include "tests/mesh/raw_peer.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

bool found_rollback(const std::vector<mesh::Notice>& notices) {
  for (const mesh::Notice& notice : notices) {
    if (notice.kind == mesh::NoticeKind::kRollbackFound) return true;
  }
  return false;
}

codec::SignedHead signed_head(const mesh::StoredHead& head) {
  return {head.key, head.held.seq, head.hlc, head.held.chain, head.signature};
}

codec::YourLogsSummary other_summary() {
  codec::YourLogsSummary summary;
  summary.fingerprint.data[0] = 1;
  summary.count = 1;
  return summary;
}

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
struct Forked {
  FakeStore store{1};
  FakeStore before{1};
  trust::VerifiedSegment lost;

  Forked() {
    for (FakeStore* each : {&store, &before})
      static_cast<void>(each->append({"a", 4}));
    lost = before.append({"a", 5, 20}).own_segments[0];
    static_cast<void>(store.append({"a", 3}));
    static_cast<void>(store.append({"a", 6}));
  }
  void show(RawPeer& peer) const {
    peer.connect();
    peer.send(peer.hello());
    peer.send(other_summary());
    peer.send(codec::YourLogsHeads{{signed_head(before.heads()[0])}, false});
  }
};

TEST_CASE("another chain below our own head is a rollback, and nothing of it goes out") {
  Forked forked;
  RawPeer peer(forked.store, 2);
  forked.show(peer);
  CHECK(found_rollback(peer.notices()));
  peer.send(codec::SyncListReq{});
  const auto list = peer.take<codec::SyncList>();
  REQUIRE(list);
  CHECK(list->heads.empty());
  codec::Want want;
  want.ranges = {{forked.store.own_log("a"), 10, 0}};
  peer.send(want);
  CHECK(peer.reads().size() == 1);
}

TEST_CASE("until the store has shown its own event nothing of our own logs goes out") {
  Forked forked;
  RawPeer peer(forked.store, 2);
  peer.answers_reads = false;
  forked.show(peer);
  CHECK(!found_rollback(peer.notices()));
  CHECK(!peer.take<codec::SyncListReq>());
  REQUIRE(peer.reads().size() == 1);
  mesh::ReadDone done{peer.reads()[0].token, Error{ErrorCode::kCorrupt, "damaged"}, {}};
  SUBCASE("an event that is lost is a rollback too") {
    peer.input(done);
    CHECK(found_rollback(peer.notices()));
    CHECK(!peer.closed());
  }
  SUBCASE("a read that fails is tried again on another link") {
    done.failed = Error{ErrorCode::kIo, "disk"};
    peer.input(done);
    CHECK(!found_rollback(peer.notices()));
    CHECK(peer.closed());
    peer.answers_reads = true;
    forked.show(peer);
    CHECK(found_rollback(peer.notices()));
  }
  SUBCASE("an answer that comes after the link has gone means nothing") {
    peer.run_until(peer.now + seconds(30));
    CHECK(peer.closed());
    peer.input(done);
    CHECK(!found_rollback(peer.notices()));
  }
}

TEST_CASE("a pushed segment of another chain below our own head is a rollback") {
  Forked forked;
  RawPeer peer(forked.store, 2);
  peer.greet();
  peer.send(delta_of({forked.store.segments(forked.store.own_log("a"))[1]}));
  CHECK(!found_rollback(peer.notices()));
  peer.send(delta_of({forked.lost}));
  CHECK(found_rollback(peer.notices()));
  CHECK(peer.commits() == 0);
  CHECK(!peer.closed());
}

TEST_CASE("a pushed segment of our own log beyond what we hold is a rollback") {
  FakeStore store(1);
  FakeStore twin(1);
  static_cast<void>(store.append({"a", 1}));
  const trust::VerifiedSegment first = twin.append({"a", 1}).own_segments[0];
  const trust::VerifiedSegment second = twin.append({"a", 1}).own_segments[0];
  RawPeer peer(store, 2);
  peer.greet();
  peer.send(delta_of({first}));
  CHECK(!found_rollback(peer.notices()));
  peer.send(delta_of({second}));
  CHECK(found_rollback(peer.notices()));
  CHECK(peer.commits() == 0);
  CHECK(!peer.closed());
}

TEST_CASE("a head of ours with a bad signature, or of another device, ends the link") {
  FakeStore store(1);
  static_cast<void>(store.append({"a", 5}));
  RawPeer peer(store, 2);
  codec::SignedHead head = signed_head(store.heads()[0]);
  head.seq = 6;
  peer.connect();
  peer.send(peer.hello());
  peer.send(other_summary());
  peer.send(codec::YourLogsHeads{{head}, false});
  CHECK(peer.faulted_with("bad_signature"));
  CHECK(!found_rollback(peer.notices()));

  FakeStore stranger(9);
  static_cast<void>(stranger.append({"a", 5}));
  peer.connect();
  peer.send(peer.hello());
  peer.send(other_summary());
  peer.send(codec::YourLogsHeads{{signed_head(stranger.heads()[0])}, false});
  CHECK(peer.faulted_with("bad_signature"));
  CHECK(peer.closed());
}

}  // namespace
}  // namespace ebb::tests
