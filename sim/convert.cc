#include "sim/convert.h"

#include <utility>

#include "core/check.h"

namespace ebb::sim {

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
  EBB_CHECK(false);
}

store::ReconciliationRow reconciliation_row(const mesh::Reconciliation& from) {
  store::ReconciliationRow row;
  row.id = from.id;
  row.peer = from.peer;
  row.kind = std::string(from.kind);
  row.started = from.started;
  row.duration_us = from.duration.us;
  row.rounds = from.rounds;
  row.heads_compared = from.heads_compared;
  row.events_in = from.events_in;
  row.events_out = from.events_out;
  row.bytes_in = from.bytes_in;
  row.bytes_out = from.bytes_out;
  row.outcome = std::string(from.outcome);
  row.held_before = from.held_before;
  row.known_before = from.known_before;
  row.held_after = from.held_after;
  row.known_after = from.known_after;
  row.root_before = from.root_before;
  row.root_after = from.root_after;
  return row;
}

// The later one's floors and missing rows take the place of the earlier one's.
void add_authority(const mesh::AuthorityUpdate& update, store::AuthorityRows& rows) {
  rows.records.insert(rows.records.end(), update.records.begin(), update.records.end());
  rows.dropped.insert(rows.dropped.end(), update.dropped.begin(), update.dropped.end());
  if (update.floors) rows.floors = update.floors;
  if (update.missing) rows.missing = update.missing;
}

void add_to_batch(const mesh::Commit& commit, store::CommitBatch& batch) {
  batch.segments.insert(batch.segments.end(), commit.segments.begin(), commit.segments.end());
  for (const mesh::CursorMoved& moved : commit.cursors) {
    batch.cursors.push_back({moved.peer, moved.cursor.epoch, moved.cursor.arrival});
  }
  for (const mesh::Reconciliation& row : commit.reconciliations) {
    batch.reconciliations.push_back(reconciliation_row(row));
  }
  for (const mesh::PeerSeen& seen : commit.peers) {
    batch.peers.push_back({seen.device, seen.address, seen.heard});
  }
  for (const mesh::BudgetSpent& spent : commit.budgets) {
    batch.link_budgets.push_back({spent.link_class, spent.day, spent.bytes});
  }
  add_authority(commit.authority, batch.authority);
}

store::AppendBatch record_batch(const mesh::WriteRecord& record) {
  store::AppendEvent event;
  event.type = std::string(record.type);
  event.payload = record.payload;
  store::AppendBatch batch;
  batch.topic = std::string(kControlTopic);
  batch.items.push_back(std::move(event));
  return batch;
}

}  // namespace ebb::sim
