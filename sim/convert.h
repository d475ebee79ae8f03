// Between the engine's values and the store's: the two rooms do not know each other.
//
// Threads: pure functions; any thread.
#pragma once

#include "mesh/types.h"
#include "store/types.h"

namespace ebb::sim {

mesh::StoredHead stored_head(const store::HeadRecord& head);
mesh::CommitOutcome commit_outcome(store::SegmentOutcome outcome);
store::ReconciliationRow reconciliation_row(const mesh::Reconciliation& reconciliation);
// Adds everything of the effect to the end of `batch`.
void add_to_batch(const mesh::Commit& commit, store::CommitBatch& batch);

store::AppendBatch record_batch(const mesh::WriteRecord& record);

}  // namespace ebb::sim
