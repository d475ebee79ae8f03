#include <doctest/doctest.h>

#include <algorithm>

#include "tests/mesh/many_logs.h"
#include "tests/mesh/own_logs.h"
#include "tests/mesh/raw_peer.h"

namespace ebb::tests {
namespace {

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

// Heads of one log of ours, at every seq up to `to`.
std::vector<codec::SignedHead> heads_up_to(FakeStore& store, int to) {
  std::vector<codec::SignedHead> heads;
  for (int seq = 1; seq <= to; ++seq) {
    static_cast<void>(store.append({"a", 1}));
    heads.push_back(signed_head(store.heads()[0]));
  }
  return heads;
}

TEST_CASE("a list of our heads that names a log twice is a fault and costs one read") {
  FakeStore store(1);
  const std::vector<codec::SignedHead> heads = heads_up_to(store, 20);
  RawPeer peer(store, 2);
  peer.answers_reads = false;
  peer.connect();
  peer.send(peer.hello());
  peer.send(other_summary());
  SUBCASE("in one message") { peer.send(codec::YourLogsHeads{{heads[0], heads[1]}, false}); }
  SUBCASE("in two messages") {
    peer.send(codec::YourLogsHeads{{heads[0]}, true});
    CHECK(peer.faults().empty());
    peer.send(codec::YourLogsHeads{{heads[1]}, true});
  }
  CHECK(peer.faulted_with("malformed_list"));
  CHECK(peer.reads().size() == 1);
}

TEST_CASE("of many positions of one own log only the furthest waits for the store") {
  FakeStore store(1);
  std::vector<trust::VerifiedSegment> segments;
  for (int i = 0; i < 20; ++i)
    segments.push_back(store.append({"a", 1}).own_segments[0]);
  static_cast<void>(store.append({"a", 1}));
  RawPeer peer(store, 2);
  peer.greet();
  peer.answers_reads = false;
  for (const trust::VerifiedSegment& segment : segments)
    peer.send(delta_of({segment}));
  REQUIRE(peer.reads().size() == 1);
  CHECK(peer.reads()[0].from == 1);
  const auto answer = [&](const trust::VerifiedSegment& segment) {
    peer.input(mesh::ReadDone{peer.reads().back().token, std::nullopt, {segment.encoded}});
  };
  answer(segments[0]);
  REQUIRE(peer.reads().size() == 2);
  CHECK(peer.reads()[1].from == 20);
  answer(segments[19]);
  CHECK(peer.reads().size() == 2);
  CHECK(!found_rollback(peer.notices()));
}

// Segments of ours that come before the greeting has ended must not stretch it for ever.
TEST_CASE("of unknown incarnations of ours only the first in a start is a rollback") {
  FakeStore store(1);
  static_cast<void>(store.append({"a", 1}));
  RawPeer peer(store, 2);
  const auto rollbacks = [&peer] {
    return std::count_if(peer.notices().begin(), peer.notices().end(), [](const auto& notice) {
      return notice.kind == mesh::NoticeKind::kRollbackFound;
    });
  };
  // Two copies of a device would answer each alarm with the next.
  for (const Incarnation shown : {Incarnation{7}, Incarnation{8}}) {
    FakeStore copy(1, shown);
    peer.greet();
    peer.send(delta_of({copy.append({"a", 1}).own_segments[0]}));
    CHECK(rollbacks() == 1);
    peer.input(store.begin_anew(shown + 10));
  }
}

TEST_CASE("two events of ours under one number are a rollback before the store has answered") {
  FakeStore store(1);
  FakeStore twin(1);
  const auto ours = store.append({"a", 1}).own_segments[0];
  const auto other = twin.append({"a", 1, 40}).own_segments[0];
  REQUIRE(other.chain != ours.chain);
  static_cast<void>(store.append({"a", 3}));
  RawPeer peer(store, 2);
  peer.greet();
  peer.answers_reads = false;
  // The first is being read, the second waits, and the third says something else of its place.
  peer.send(delta_of({ours}));
  peer.send(delta_of({ours}));
  REQUIRE(peer.reads().size() == 1);
  REQUIRE(!found_rollback(peer.notices()));
  peer.send(delta_of({other}));
  CHECK(found_rollback(peer.notices()));
}

TEST_CASE("reads of own positions do not keep a greeting open without end") {
  FakeStore store(1);
  std::vector<trust::VerifiedSegment> segments;
  for (int i = 0; i < 100; ++i)
    segments.push_back(store.append({"a", 1}).own_segments[0]);
  static_cast<void>(store.append({"a", 1}));
  RawPeer peer(store, 2);
  peer.connect();
  peer.send(peer.hello());
  std::size_t shown = 0;
  for (; shown < segments.size() && !peer.closed(); ++shown) {
    peer.send(delta_of({segments[shown]}));
    peer.run_until(peer.now + mesh::Config{}.handshake_timeout - seconds(1));
  }
  CHECK(peer.closed());
  CHECK(shown <= limits::kTopicsPerDevice + 3);
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
