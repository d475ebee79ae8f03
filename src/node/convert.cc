#include "node/convert.h"

#include <iterator>
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
    case store::SegmentOutcome::kRefused:
      return mesh::CommitOutcome::kRefused;
  }
  return mesh::CommitOutcome::kRefused;
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
}

namespace {

// The last row of a class tells all that the class has spent.
void keep_budgets(std::vector<store::LinkBudgetRow>& failed,
                  std::vector<store::LinkBudgetRow>& later) {
  std::map<std::string, store::LinkBudgetRow> last;
  for (std::vector<store::LinkBudgetRow>* rows : {&failed, &later}) {
    for (store::LinkBudgetRow& row : *rows)
      last[row.link_class] = std::move(row);
    rows->clear();
  }
  for (auto& [name, row] : last)
    later.push_back(std::move(row));
}

}  // namespace

std::size_t keep_rows(store::CommitBatch& failed, store::CommitBatch& later) {
  std::size_t lost = 0;
  const auto put_before = [&lost](auto& rows, auto& behind) {
    behind.insert(behind.begin(), std::make_move_iterator(rows.begin()),
                  std::make_move_iterator(rows.end()));
    rows.clear();
    if (behind.size() <= limits::kRowsKept) return;
    const std::size_t over = behind.size() - limits::kRowsKept;
    behind.erase(behind.begin(), behind.begin() + static_cast<std::ptrdiff_t>(over));
    lost += over;
  };
  put_before(failed.cursors, later.cursors);
  put_before(failed.reconciliations, later.reconciliations);
  put_before(failed.peers, later.peers);
  keep_budgets(failed.link_budgets, later.link_budgets);
  return lost;
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
  if (!news.empty()) news.back().arrival_head = result.arrival_head;
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
