#include "node/convert.h"

#include <iterator>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "core/limits.h"

namespace ebb::node {

mesh::StoredHead stored_head(const store::HeadRecord& head) {
  mesh::StoredHead stored;
  stored.key = head.key;
  stored.log = head.log;
  stored.held = head.effective();
  stored.hlc = head.hlc;
  stored.signature = head.signature;
  stored.arrival = head.arrival;
  stored.capped = head.capped;
  return stored;
}

mesh::CommitOutcome commit_outcome(store::SegmentOutcome outcome) {
  switch (outcome) {
    case store::SegmentOutcome::kStored:
      return mesh::CommitOutcome::kStored;
    case store::SegmentOutcome::kDuplicate:
      return mesh::CommitOutcome::kDuplicate;
    case store::SegmentOutcome::kGap:
      return mesh::CommitOutcome::kGap;
    case store::SegmentOutcome::kFork:
      return mesh::CommitOutcome::kFork;
    case store::SegmentOutcome::kTooManyLogs:
      return mesh::CommitOutcome::kTooManyLogs;
    case store::SegmentOutcome::kOverQuota:
      return mesh::CommitOutcome::kOverQuota;
    case store::SegmentOutcome::kRefused:
      return mesh::CommitOutcome::kRefused;
  }
  return mesh::CommitOutcome::kRefused;
}

mesh::HeldPresence held_presence(const store::PresenceRow& row) {
  return {row.device, row.hlc, row.said};
}

store::ReconciliationRow reconciliation_row(const mesh::Reconciliation& row) {
  store::ReconciliationRow out;
  out.id = row.id;
  out.peer = row.peer;
  out.kind = std::string(row.kind);
  out.started = row.started;
  out.duration_us = row.duration.us;
  out.rounds = row.rounds;
  out.heads_compared = row.heads_compared;
  out.events_in = row.events_in;
  out.events_out = row.events_out;
  out.bytes_in = row.bytes_in;
  out.bytes_out = row.bytes_out;
  out.outcome = std::string(row.outcome);
  out.held_before = row.held_before;
  out.known_before = row.known_before;
  out.held_after = row.held_after;
  out.known_after = row.known_after;
  out.root_before = row.root_before;
  out.root_after = row.root_after;
  return out;
}

// The later one's floors and missing rows take the place of the earlier one's.
void add_authority(const mesh::AuthorityUpdate& update, store::AuthorityRows& rows) {
  rows.records.insert(rows.records.end(), update.records.begin(), update.records.end());
  rows.dropped.insert(rows.dropped.end(), update.dropped.begin(), update.dropped.end());
  if (update.floors) rows.floors = update.floors;
  if (update.missing) rows.missing = update.missing;
}

void add_to_batch(mesh::Commit commit, store::CommitBatch& batch) {
  batch.segments.insert(batch.segments.end(), std::make_move_iterator(commit.segments.begin()),
                        std::make_move_iterator(commit.segments.end()));
  for (const mesh::CursorMoved& moved : commit.cursors) {
    batch.cursors.push_back({moved.peer, moved.cursor.epoch, moved.cursor.arrival});
  }
  for (const mesh::Reconciliation& row : commit.reconciliations)
    batch.reconciliations.push_back(reconciliation_row(row));
  for (const mesh::PeerSeen& peer : commit.peers)
    batch.peers.push_back({peer.device, peer.address, peer.heard});
  for (const mesh::BudgetSpent& spent : commit.budgets)
    batch.link_budgets.push_back({spent.link_class, spent.day, spent.bytes});
  add_authority(commit.authority, batch.authority);
}

namespace {

// Of rows that each tell all of their key, the last: what a class has spent, a peer's cursor or
// address.
template <typename Row, typename Key>
void keep_last(std::vector<Row>& failed, std::vector<Row>& later, Key Row::*key) {
  std::map<Key, Row> last;
  for (std::vector<Row>* rows : {&failed, &later}) {
    for (Row& row : *rows) {
      const Key of = row.*key;
      last[of] = std::move(row);
    }
    rows->clear();
  }
  for (auto& [of, row] : last)
    later.push_back(std::move(row));
}

// Removes from the front what is over, of the rows that may be lost; returns how many.
template <typename Row, typename MayLose>
std::size_t lose_rows(std::vector<Row>& rows, const MayLose& may_lose) {
  if (rows.size() <= limits::kRowsKept) return 0;
  const std::size_t before = rows.size();
  std::size_t over = before - limits::kRowsKept;
  std::erase_if(rows, [&](const Row& row) {
    if (over == 0 || !may_lose(row)) return false;
    --over;
    return true;
  });
  return before - rows.size();
}

}  // namespace

std::size_t keep_rows(store::CommitBatch& failed, store::CommitBatch& later) {
  keep_last(failed.cursors, later.cursors, &store::CursorUpdate::peer);
  keep_last(failed.peers, later.peers, &store::PeerRow::device);
  keep_last(failed.link_budgets, later.link_budgets, &store::LinkBudgetRow::link_class);
  auto& history = later.reconciliations;
  history.insert(history.begin(), std::make_move_iterator(failed.reconciliations.begin()),
                 std::make_move_iterator(failed.reconciliations.end()));
  failed.reconciliations.clear();
  // A cursor that is lost costs a comparison; one that stays, though it was dropped or its peer was
  // set back, hides events.
  std::size_t lost = lose_rows(later.cursors, [](const store::CursorUpdate& row) {
    return row.arrival != 0 && row.arrival != std::numeric_limits<Arrival>::max();
  });
  lost += lose_rows(later.peers, [](const auto&) { return true; });
  return lost + lose_rows(history, [](const auto&) { return true; });
}

std::vector<mesh::Committed> committed_news(const std::vector<CommitPart>& parts,
                                            const store::CommitResult& result) {
  mesh::Committed own;
  std::vector<mesh::StoredHead> received;
  for (const store::HeadAdvance& advance : result.advances) {
    (advance.own_append ? own.advanced : received).push_back(stored_head(advance.head));
  }
  own.own_segments = result.own_segments;
  std::vector<mesh::Committed> news;
  if (!own.advanced.empty()) news.push_back(std::move(own));
  std::size_t next = 0;
  for (const CommitPart& part : parts) {
    mesh::Committed answer;
    answer.token = part.token;
    for (std::size_t i = 0; i < part.segments; ++i)
      answer.outcomes.push_back(commit_outcome(result.segments.at(next++)));
    answer.advanced = std::exchange(received, {});
    news.push_back(std::move(answer));
  }
  if (news.empty()) return news;
  for (const store::PresenceRow& row : result.presences)
    news.front().presences.push_back(held_presence(row));
  news.back().arrival_head = result.arrival_head;
  return news;
}

std::vector<mesh::Committed> committed_failure(const std::vector<CommitPart>& parts,
                                               const Error& error) {
  std::vector<mesh::Committed> news;
  for (const CommitPart& part : parts) {
    mesh::Committed answer;
    answer.token = part.token;
    answer.failed = error;
    news.push_back(std::move(answer));
  }
  return news;
}

}  // namespace ebb::node
