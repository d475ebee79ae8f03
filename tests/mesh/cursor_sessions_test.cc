// Goal: a cursor never passes over what is not stored. Method: what a node has persisted is
// compared with what the other one's store holds, never with what an engine says. A program of its
// own, for its many sessions want the compiler's help.
#include <doctest/doctest.h>

#include <memory>

#include "core/rng.h"
#include "tests/mesh/many_logs.h"

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

// Of a store that a backup was put back for: a new one, the same until a peer knows later arrivals,
// or, against the rule, the same for good.
enum class Epochs { kNew, kTaken, kKept };

// One pair of nodes over many sessions. Between them authors reach either node, backups are made
// and put back.
class Sessions {
 public:
  Sessions(std::uint64_t seed, Epochs epochs) : rng_(seed), epochs_(epochs) {
    rig_.takes_epochs = epochs != Epochs::kKept;
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
    rig_.store(i).restore(*backups_[i], epochs_ == Epochs::kNew);
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
  Epochs epochs_;
  SyncPair rig_{0};
  Authors authors_{kAuthors};
  std::map<LogId, std::vector<trust::VerifiedSegment>> history_;
  std::shared_ptr<const FakeStore::Backup> backups_[2];
};

Tally run_sessions(std::uint64_t sessions, Epochs epochs) {
  Tally tally;
  for (std::uint64_t seed = 1; tally.sessions < sessions; ++seed)
    Sessions(seed, epochs).run(tally);
  return tally;
}

TEST_CASE("50,000 cursor sessions with cuts and restores leave no silent gap") {
  const Tally tally = run_sessions(kSessions, Epochs::kNew);
  MESSAGE(tally.sessions << " sessions, " << tally.by_cursor << " by cursor, " << tally.cuts
                         << " cuts, " << tally.restores << " restores, " << tally.gaps << " gaps");
  CHECK(tally.gaps == 0);
  CHECK(tally.by_cursor > tally.sessions / 4);
  CHECK(tally.cuts > tally.sessions / 10);
  CHECK(tally.restores > tally.sessions / 50);
}

TEST_CASE("the same sessions show gaps when a restored store keeps its epoch") {
  const Tally kept = run_sessions(kSessions / 10, Epochs::kKept);
  const Tally taken = run_sessions(kSessions / 10, Epochs::kTaken);
  MESSAGE(kept.sessions << " sessions, " << kept.gaps << " gaps, " << taken.gaps
                        << " where a peer that knows later arrivals has it take another");
  CHECK(kept.gaps > 0);
  // What has come again before anybody greeted it is not seen.
  CHECK(taken.gaps * 20 <= kept.gaps);
}

}  // namespace
}  // namespace ebb::tests
