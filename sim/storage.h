// Storage: a device's open store as the simulator uses it, and StorageMedium: what is left of it
// when nothing runs. Two of each: the daemon's own store on files, and one in memory, which is
// faster and a naive model of the other.
//
// Model:     calls mean what store/store.h says of the calls of the same names.
// Ownership: a medium outlives the storage that it opened; one is open at a time.
// Threads:   not thread-safe; owned by a store thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "codec/record.h"
#include "core/clock_judge.h"
#include "core/result.h"
#include "core/scope.h"
#include "core/time.h"
#include "core/version_vector.h"
#include "store/quota.h"
#include "store/types.h"
#include "trust/identity.h"

namespace ebb::sim {

class Storage {
 public:
  virtual ~Storage() = default;
  virtual Result<store::CommitResult> commit(const store::CommitBatch& batch) = 0;
  virtual Result<store::CommitResult> begin_incarnation(codec::OpeningReason reason,
                                                        const ClockReading& now) = 0;
  virtual void doubt_epoch() = 0;
  virtual void hear_peers(std::optional<PeerClock> peers) = 0;
  virtual const ClockJudge& clock_judge() const = 0;
  virtual std::vector<store::HeadRecord> heads() const = 0;
  virtual std::size_t log_count() const { return heads().size(); }
  virtual StoreEpoch epoch() const = 0;
  virtual Incarnation incarnation() const = 0;
  virtual Arrival arrival_head() const = 0;
  virtual std::vector<store::CursorUpdate> cursors() const = 0;
  virtual std::vector<store::PeerRow> peers() const = 0;
  virtual Result<std::vector<store::PresenceRow>> presences() const = 0;
  virtual Result<store::AuthorityRows> authority() const = 0;
  virtual Result<std::vector<SharedBytes>> read_segments(const LogId& log, Seq from, Seq to,
                                                         std::size_t bytes_max) const = 0;
  virtual Hash state_digest() = 0;
  virtual const VersionVector& applied() const = 0;
  // From time to time, when idle.
  virtual Status upkeep(const ClockReading& now) = 0;
  // While full, what is stored cannot grow.
  virtual Status set_full(bool full) = 0;
};

struct OpenStorage {
  MeshId mesh;
  const trust::Identity& identity;
  std::function<std::uint64_t()> random;
  ClockReading now;
  WallTime built = {};
  ScopeHash scope = {};
  store::QuotaLimit quota = {};
};

class StorageMedium {
 public:
  virtual ~StorageMedium() = default;
  virtual Result<std::unique_ptr<Storage>> open(const OpenStorage& how) = 0;
  // The process that has it open is gone between two instructions; `storage` goes with it.
  virtual void kill(std::unique_ptr<Storage> storage) = 0;
  // While closed: keeps a copy under a number; brings that copy back; begins again with nothing.
  virtual void back_up(int copy) = 0;
  virtual void restore(int copy) = 0;
  virtual void erase() = 0;
};

// In `dir`, to be made, and beside it.
std::unique_ptr<StorageMedium> make_file_medium(const std::string& dir);
// `folds`: what is stored is folded, so that there is a digest. Without that nobody asks for one,
// nor appends to a set.
std::unique_ptr<StorageMedium> make_memory_medium(bool folds = true);

}  // namespace ebb::sim
