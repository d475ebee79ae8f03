// StoreParts: what a Store is made of, shared by the files that implement it. Not for other rooms.
//
// Model:   caches (heads, clock, topics, cursors) change only after a transaction has committed.
// Threads: not thread-safe; owned by its Store.
#pragma once

#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "core/clock_judge.h"
#include "core/hlc.h"
#include "store/append.h"
#include "store/authority_table.h"
#include "store/client_ids.h"
#include "store/fold_driver.h"
#include "store/incarnation.h"
#include "store/lock.h"
#include "store/log_table.h"
#include "store/merge.h"
#include "store/presences.h"
#include "store/quota_table.h"
#include "store/receive.h"
#include "store/schema.h"
#include "store/segment_table.h"
#include "store/side_tables.h"
#include "store/sqlite.h"
#include "store/store.h"

namespace ebb::store {

struct StoreParts {
  StoreParts(StoreOptions given, const trust::Identity& own)
      : options(std::move(given)),
        identity(own),
        authority(options.mesh),
        presences(own.device()),
        quotas(own.device(), options.quota) {}

  Status open();
  // BEGIN IMMEDIATE, and the boot nonce is still ours. Heals first what a failed COMMIT left.
  Status begin(Transaction& transaction);
  // Remembers that the disk failed under a COMMIT: whether a crash brings that transaction back is
  // unknown until the next begin() or open() succeeds.
  Status finish(Transaction& transaction);
  // Behind every stamp of that incarnation of ours, and with others' taken note of as if they were
  // received now. Stamps of our earlier incarnations may have been repaired.
  HlcClock clock_at(WallTime now, std::optional<Incarnation> ours) const;
  // Writes what the fold has collected, with its mark.
  Status write_state();

  std::span<const Migration> steps = migrations();
  bool migrated = false;  // by this start
  StoreOptions options;
  const trust::Identity& identity;
  // Destroyed last to first: statements before their connection, and that before the lock.
  std::unique_ptr<StoreLock> lock;
  std::unique_ptr<Connection> db;
  Statement read_nonce;
  LogTable logs;
  SegmentTable segments;
  ClientIds client_ids;
  SideTables side;
  AuthorityTable authority;
  Presences presences;
  QuotaTable quotas;
  FoldDriver fold;
  MergeQueue merge;

  std::uint64_t boot_nonce = 0;
  StoreEpoch epoch = 0;
  bool epoch_doubted = false;  // the next commit takes another
  Incarnation incarnation = 0;
  std::set<std::string> topics;  // of this incarnation, the control topic left out
  HlcClock clock;
  ClockJudge judge{ClockJudge::Start{}};
  Line line;
  bool begun = false;  // the store's first incarnation has
  bool broken = false;

 private:
  Status heal();
  Status open_database();
  // False: the store's first incarnation has not begun.
  Result<bool> read_identity();
  Status write_identity();
  Status take_scope();
  void start_clock();
};

struct Store::Impl : StoreParts {
  using StoreParts::StoreParts;
};

}  // namespace ebb::store
