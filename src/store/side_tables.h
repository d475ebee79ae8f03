// SideTables: what the store keeps beside logs and state: cursors and addresses of peers, what
// classes of links have spent, and the history of reconciliations.
//
// Model:   cursors, peers and budgets are in memory as they are in their tables; a transaction
//          writes first and takes over after its commit.
// Threads: not thread-safe; owned by the store.
// Errors:  kCorrupt for rows of another form; those of store/sqlite.h.
// Limits:  the newest limits::kReconciliationsKept rows of the history stay, and the
//          limits::kStoredPeers peers that were heard last, and so many cursors, of those too.
// Spec:    docs/store_format.md section 3
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/result.h"
#include "store/sqlite.h"
#include "store/types.h"

namespace ebb::store {

class SideTables {
 public:
  Status open(const Connection& connection);

  Status write(const CommitBatch& batch);
  void committed(const CommitBatch& batch);

  std::vector<CursorUpdate> cursors() const;  // of peers that were heard longest ago first
  std::vector<PeerRow> peers() const;         // in order of device
  std::vector<LinkBudgetRow> link_budgets() const;

 private:
  Status read_link_budgets(const Connection& connection);
  Status write_cursors(const CommitBatch& batch);
  WallTime heard_at(const DeviceId& peer) const;  // INT64_MIN: not known
  std::vector<DeviceId> surplus_cursors(const CommitBatch& batch) const;
  Status write_reconciliation(const ReconciliationRow& row);
  void prune_peers();

  const Connection* connection_ = nullptr;
  std::map<DeviceId, CursorUpdate> cursors_;
  std::vector<DeviceId> surplus_cursors_;  // dropped by the transaction in hand
  std::map<DeviceId, PeerRow> peers_;
  std::map<std::string, LinkBudgetRow> link_budgets_;
  Statement put_link_budget_;
  Statement put_cursor_;
  Statement drop_cursor_;
  Statement put_peer_;
  Statement prune_peers_;
  Statement put_reconciliation_;
  Statement prune_reconciliations_;
};

// The history, newest first. For readers.
Result<std::vector<ReconciliationRow>> read_reconciliations(const Connection& connection,
                                                            std::size_t limit);

}  // namespace ebb::store
