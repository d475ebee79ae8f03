// Goal: a cursor never passes over what is not stored. Method: what a node has persisted is
// compared with what the other one's store holds, never with what an engine says.
#include <doctest/doctest.h>

#include <memory>

#include "core/rng.h"
#include "tests/mesh/many_logs.h"
#include "tests/mesh/raw_peer.h"

namespace ebb::tests {
namespace {

constexpr std::uint64_t kSessions = EBB_CURSOR_SESSIONS;
constexpr std::uint64_t kSessionsOfARig = 100;
constexpr std::size_t kAuthors = 4;

// Heads that `holder` has not, although its cursor of `peer` says that it has everything up to
// them.
std::uint64_t gaps(const FakeStore& holder, const FakeStore& peer) {
  std::map<LogId, Position> held;
  for (const mesh::StoredHead& head : holder.heads())
    held[head.log] = head.held;
  std::uint64_t found = 0;
  for (const auto& [device, cursor] : holder.cursors()) {
    if (device != peer.device() || cursor.epoch != peer.epoch()) continue;
    for (const mesh::StoredHead& head : peer.heads()) {
      const bool told = head.arrival <= cursor.arrival;
      if (told && held[head.log].seq < head.held.seq) ++found;
    }
  }
  return found;
}

struct Tally {
  std::uint64_t sessions = 0, gaps = 0, cuts = 0, restores = 0, by_cursor = 0;
};

// One pair of nodes over many sessions. Between them authors reach either node, backups are made
// and put back, with a new epoch or, against the rule, without.
class Sessions {
 public:
  Sessions(std::uint64_t seed, bool new_epochs) : rng_(seed), new_epochs_(new_epochs) {
    for (const std::size_t i : {std::size_t{0}, std::size_t{1}})
      rig_.node(i).config.cover_interval = milliseconds(1);
  }

  void run(Tally& tally) {
    for (std::uint64_t i = 0; i < kSessionsOfARig; ++i) {
      for (std::uint64_t n = rng_.below(4); n > 0; --n)
        let_author_write();
      if (rng_.chance(1, 8)) backup_of(rng_.below(2));
      if (rng_.chance(1, 12)) restore(rng_.below(2), tally);
      session(tally);
    }
  }

 private:
  // Some author appends, and brings its log to none, one or both of the nodes.
  void let_author_write() {
    const auto events = static_cast<std::uint32_t>(rng_.between(1, 3));
    const auto newest = authors_.append(rng_.below(kAuthors), rng_.between(1, 5), {"t", events});
    auto& log = history_[newest.log];
    log.push_back(newest);
    for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
      if (!rng_.chance(1, 2)) continue;
      for (const trust::VerifiedSegment& segment : log)
        store_segment(rig_.store(i), segment);
    }
  }

  void backup_of(std::size_t i) { backups_[i] = rig_.store(i).back_up(); }

  void restore(std::size_t i, Tally& tally) {
    if (backups_[i] == nullptr) return;
    rig_.store(i).restore(*backups_[i], new_epochs_);
    ++tally.restores;
  }

  void session(Tally& tally) {
    ++tally.sessions;
    std::uint64_t left = rng_.chance(1, 3) ? rng_.between(1, 900) : UINT64_MAX;
    rig_.breaker = [&](std::size_t, std::size_t, const Bytes& bytes) -> std::optional<std::size_t> {
      if (bytes.size() <= left) {
        left -= left == UINT64_MAX ? 0 : bytes.size();
        return std::nullopt;
      }
      ++tally.cuts;
      const auto kept = static_cast<std::size_t>(left);
      left = UINT64_MAX;
      return kept;
    };
    const std::size_t rows = rig_.node(0).rows.size();
    FakeStore& failing = rig_.store(rng_.below(2));
    failing.failing = rng_.chance(1, 10);
    rig_.meet(milliseconds(40));
    failing.failing = false;
    for (std::size_t row = rows; row < rig_.node(0).rows.size(); ++row)
      tally.by_cursor += rig_.node(0).rows[row].kind == "cursor" ? 1U : 0U;
    tally.gaps += gaps(rig_.store(0), rig_.store(1)) + gaps(rig_.store(1), rig_.store(0));
  }

  Rng rng_;
  bool new_epochs_;
  SyncPair rig_{0};
  Authors authors_{kAuthors};
  std::map<LogId, std::vector<trust::VerifiedSegment>> history_;
  std::shared_ptr<const FakeStore::Backup> backups_[2];
};

Tally run_sessions(std::uint64_t sessions, bool new_epochs) {
  Tally tally;
  for (std::uint64_t seed = 1; tally.sessions < sessions; ++seed)
    Sessions(seed, new_epochs).run(tally);
  return tally;
}

TEST_CASE("50,000 cursor sessions with cuts and restores leave no silent gap") {
  const Tally tally = run_sessions(kSessions, true);
  MESSAGE(tally.sessions << " sessions, " << tally.by_cursor << " by cursor, " << tally.cuts
                         << " cuts, " << tally.restores << " restores, " << tally.gaps << " gaps");
  CHECK(tally.gaps == 0);
  CHECK(tally.by_cursor > tally.sessions / 4);
  CHECK(tally.cuts > tally.sessions / 10);
  CHECK(tally.restores > tally.sessions / 50);
}

TEST_CASE("the same sessions show gaps when a restored store keeps its epoch") {
  const Tally tally = run_sessions(kSessions / 10, false);
  MESSAGE(tally.sessions << " sessions, " << tally.gaps << " gaps");
  CHECK(tally.gaps > 0);
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

TEST_CASE("a cursor stays where it is when what was announced is not to be had") {
  FakeStore store(1);
  FakeStore author(9);
  const auto segment = author.append({"a", 3}).own_segments[0];
  RawPeer peer(store, 2);
  codec::Hello hello = peer.hello();
  hello.epoch = 7;
  hello.arrival_head = 30;
  hello.count = 1;
  peer.connect();
  peer.send(hello);
  peer.send(codec::YourLogsSummary{});
  REQUIRE(peer.take<codec::SyncListReq>());
  peer.send(codec::SyncList{{{segment.log, 3, {}}}, false, 30});
  REQUIRE(peer.take<codec::Want>());
  codec::Delta delta = delta_of({segment});
  SUBCASE("it never comes") { delta = {}; }
  SUBCASE("it comes") {}
  const bool comes = !delta.segments.empty();
  delta.reconciliation = hello.reconciliation;
  delta.last = true;
  peer.send(delta);
  codec::Ack done;
  done.reconciliation = hello.reconciliation;
  done.done = true;
  peer.send(done);
  REQUIRE(peer.rows().size() == 1);
  CHECK(peer.rows()[0].outcome == "in_sync");
  REQUIRE(peer.cursors().size() == (comes ? 1 : 0));
  if (comes) CHECK(peer.cursors()[0].cursor == codec::Cursor{7, 30});
}

TEST_CASE("a cursor goes no further than the peer says its list covers") {
  FakeStore store(1);
  RawPeer peer(store, 2);
  codec::Hello hello = peer.hello();
  hello.epoch = 7;
  hello.arrival_head = 30;
  hello.count = 1;
  peer.connect();
  peer.send(hello);
  peer.send(codec::YourLogsSummary{});
  REQUIRE(peer.take<codec::SyncListReq>());
  peer.send(codec::SyncList{{}, false, 12});
  codec::Ack done;
  done.reconciliation = hello.reconciliation;
  done.done = true;
  peer.send(done);
  REQUIRE(peer.cursors().size() == 1);
  CHECK(peer.cursors()[0].cursor == codec::Cursor{7, 12});
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
