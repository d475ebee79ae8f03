// The same things as the store and the engine see them: neither room knows the other.
//
// Threads: pure functions; any thread.
#pragma once

#include <cstddef>
#include <vector>

#include "mesh/engine.h"
#include "mesh/types.h"
#include "store/types.h"

namespace ebb::node {

mesh::StoredHead stored_head(const store::HeadRecord& head);
mesh::CommitOutcome commit_outcome(store::SegmentOutcome outcome);
mesh::HeldPresence held_presence(const store::PresenceRow& row);
store::ReconciliationRow reconciliation_row(const mesh::Reconciliation& row);

// Adds what the engine wants stored to a transaction.
void add_to_batch(mesh::Commit commit, store::CommitBatch& batch);

// Rows that a transaction took and did not store, to go with the next: the last of each peer's
// cursor and address and of each link budget, and the history; of each kind kRowsKept, and every
// cursor that means nothing (the engine has no more than limits::kStoredPeers). `later` are the
// rows that go behind them; returns how many were left out.
std::size_t keep_rows(store::CommitBatch& failed, store::CommitBatch& later);

// Which of the engine's commits rode in a transaction, in order.
struct CommitPart {
  mesh::Token token;
  std::size_t segments = 0;
};
// What the engine hears of one transaction: news of own appends first, then one answer a part. The
// first answer tells all that was received, since a transaction knows logs and not parts.
std::vector<mesh::Committed> committed_news(const std::vector<CommitPart>& parts,
                                            const store::CommitResult& result);
std::vector<mesh::Committed> committed_failure(const std::vector<CommitPart>& parts,
                                               const Error& error);

}  // namespace ebb::node
