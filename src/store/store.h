// Store: the one writer of a device's database. A passive object: it has no thread, timer or clock;
// the daemon calls it on its store thread, the simulator directly.
//
// Model:     one SQLite connection that writes and checkpoints, WAL, synchronous=FULL. commit() is
//            one transaction: when it returns ok, everything in it is durable; when it returns an
//            error, nothing of it is seen and the store is as before. After kIo a crash may still
//            bring the failed commit back; once a later call has written, or the store was opened
//            anew, that is settled: the later call has made sure that it never comes back. Until
//            it can, every write fails with kIo, and each tries again. State is folded in memory
//            after each commit and flushed with its mark now and then; a crash re-folds at most
//            what lies past the mark.
// Units:     time is passed in, never read: both clocks as ClockReading. What is stamped and stored
//            with a commit is what core/clock_judge.h makes of them.
// Ownership: `identity` must outlive the store. Files: <dir>/ebb.db (+ -wal, -shm), <dir>/lock.
// Threads:   not thread-safe; call on the store thread. Readers (store/reader.h) are for others.
// Errors:    open: kBusy (another process holds it), kUnsupported (newer format, nothing was
//            written; or a file system without WAL), kNotFound (no such directory), kCorrupt,
//            kPermission, kIo, kDiskFull (also a quota), kInvalidArgument (of another device or
//            mesh). commit: kDiskFull, kIo, kCorrupt, kBusy (another process has opened the store
//            since, or holds its database) as a whole; per append batch kTooLarge,
//            kInvalidArgument, kDuplicateKey... without harm to the others.
// Limits:    kTopicsPerDevice, kKnownLogs, kSeqMax; client ids as in core/limits.h.
// Spec:      docs/store_format.md
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/record.h"
#include "core/clock_judge.h"
#include "core/hlc.h"
#include "core/ids.h"
#include "core/result.h"
#include "core/rng.h"
#include "core/scope.h"
#include "core/time.h"
#include "state/fold.h"
#include "store/quota.h"
#include "store/types.h"
#include "trust/fingerprint.h"
#include "trust/identity.h"

namespace ebb::store {

enum class Durability {
  kFull,    // a commit is on the disk when it returns
  kMemory,  // no syncs at all: for the simulator and tests that do not ask about crashes
};

struct StoreOptions {
  std::string dir;  // exists, 0700
  MeshId mesh;
  Durability durability = Durability::kFull;
  // Source of incarnation, epoch and boot nonce; trust::random_u64 in the daemon.
  std::function<std::uint64_t()> random;
  ClockReading now;
  // When the program was built: no right clock is before it. 0: not known.
  WallTime built;
  // What the node takes part in (trust/scope_hash.h). Another than that of the last start gives the
  // store a new epoch and takes its cursors: they say nothing of logs that were left out then.
  ScopeHash scope;
  // A budget of disk: the most pages of 4 KiB that the database may have (the WAL not counted).
  // Beyond it commits fail with kDiskFull. 0: no budget.
  std::uint64_t page_count_max = 0;
  // Of each author, of what is received.
  QuotaLimit quota;
};

class Store {
 public:
  // Opens or creates, migrates, takes the lock for life, re-folds past the mark. A new store begins
  // with its opening record.
  static Result<std::unique_ptr<Store>> open(const StoreOptions& options,
                                             const trust::Identity& identity);
  // Flushes state when dirty, closes cleanly.
  ~Store();
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;

  // A commit in the making. Appends are encoded and hashed as they come in, so that this work is
  // done while a client still sends the rest; nothing is written. Until it is committed or dropped
  // nothing else may be asked of the store, and batches that were added stay where they are.
  class Staging;
  Staging stage(const ClockReading& now);

  // Stores what was staged and `batch` in one transaction, calls `durable` once with what came of
  // it, then folds: what waits for the disk alone need not wait for the fold. Outcomes of appends
  // come in the order of adding, those of the batch last.
  using CommitDone = std::function<void(Result<CommitResult>)>;
  void commit(Staging staging, const CommitBatch& batch, const CommitDone& durable);
  Result<CommitResult> commit(const CommitBatch& batch);

  // Logs of this device get a new incarnation, whose first event closes the one before; with it the
  // store gets a new epoch where it was set back (restore, rollback). The result is that of any
  // commit; so is one of commit() that had to repair the clock, `begun` tells.
  Result<CommitResult> begin_incarnation(codec::OpeningReason reason, const ClockReading& now);

  // A peer has shown that arrival numbers of this epoch were given before the store was set back.
  // The next commit that succeeds, whatever else it stores, takes another epoch before it gives an
  // arrival; CommitResult::epoch tells. Kept in memory alone: who showed it will show it again.
  void doubt_epoch();

  // What peers say the time is, for the commits from now on; nullopt: too few of them.
  void hear_peers(std::optional<PeerClock> peers);
  // As it stands after the last commit; a copy judges for itself.
  const ClockJudge& clock_judge() const;

  std::vector<HeadRecord> heads() const;
  StoreEpoch epoch() const;
  Incarnation incarnation() const;
  Arrival arrival_head() const;
  std::vector<CursorUpdate> cursors() const;
  std::vector<PeerRow> peers() const;
  Result<std::vector<PresenceRow>> presences() const;  // in order of device
  std::vector<LinkBudgetRow> link_budgets() const;
  Result<AuthorityRows> authority() const;  // in order of authority and seq

  // State is flushed when it has been dirty for long enough or `force`; one transaction.
  Status flush_state(Instant now, bool force);
  // What the start found damaged: the state of these logs ends before it, everything else goes on.
  const std::vector<Error>& fold_damage() const;
  // And of the presences: those of these logs are known before it, or, were it the table, none.
  const std::vector<Error>& presence_damage() const;
  // Digest of the folded state (applied equals held whenever the store is at rest, but for logs
  // that are damaged or of a newer format).
  Hash state_digest();
  const VersionVector& applied() const;

  // Encoded segments that hold events `from` to `to` of the log, both included (to 0: all there
  // are), oldest first, at most about `bytes_max` (at least one segment when there is any). A
  // segment that begins before `from` is cut; one that ends behind `to` is whole, since its end
  // cannot be moved. kNotFound for a log that is not known. The same function that Reader has, on
  // the writing connection, for the simulator.
  Result<std::vector<SharedBytes>> read_segments(const LogId& log, Seq from, Seq to,
                                                 std::size_t bytes_max) const;

  // Merges one run of small segments. True: call again, there may be more; false: all is at rest.
  // Cheap enough to be called between commits: one transaction, at most limits::kSegmentEvents
  // events. kCorrupt when stored segments do not verify; they are left as they are.
  Result<bool> merge_step();

  // A passive checkpoint of the WAL; called when idle.
  Status checkpoint();

  // Changes StoreOptions::page_count_max. A budget below what is used already allows no growth.
  Status set_page_count_max(std::uint64_t pages);

 private:
  struct Impl;
  class Commit;
  explicit Store(std::unique_ptr<Impl> impl);
  Status run(Commit& commit, const CommitBatch& batch);
  std::unique_ptr<Impl> impl_;
};

class Store::Staging {
 public:
  ~Staging();
  Staging(Staging&&) noexcept;
  // False: the batch is refused, as the result will tell, and the others are not.
  bool add(const AppendBatch& batch);

 private:
  friend class Store;
  explicit Staging(std::unique_ptr<Commit> commit);
  std::unique_ptr<Commit> commit_;
};

}  // namespace ebb::store
