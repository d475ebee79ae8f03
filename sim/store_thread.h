// StoreThread: what the daemon's store thread is to a node, on virtual time: a queue before the one
// store, group commit, reads by workers, upkeep when idle, and the disk's moods.
//
// Model:     what gathered while a commit was under way becomes the next one. A commit takes
//            effect at its end and is answered a little later, so that a kill can fall before,
//            between and after. A kill leaves the files as they were at that instant, and sometimes
//            the system finishes what the process had begun; lost power leaves no trace of that.
// Ownership: owns the store and its medium; the queue, observer, identity and sinks must
//            outlive it.
// Threads:   not thread-safe; owned by its host.
// Errors:    open: those of StorageMedium::open. What fails later without a fault having been
// injected goes
//            to Observer::trouble, and to the asker as an error.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/rng.h"
#include "mesh/types.h"
#include "sim/disk_moods.h"
#include "sim/event_queue.h"
#include "sim/observer.h"
#include "sim/options.h"
#include "sim/storage.h"
#include "trust/identity.h"

namespace ebb::sim {

class StoreThread {
 public:
  struct Setup {
    HostIndex host = 0;
    std::unique_ptr<StorageMedium> medium;
    MeshId mesh;
    const trust::Identity* identity = nullptr;
    DiskOptions disk;
    WallTime built;
    std::function<ClockReading()> clock;
    store::QuotaLimit quota;
  };

  StoreThread(EventQueue& queue, Observer& observer, FaultCounts& counts, Setup setup, Rng rng,
              std::function<void(mesh::Input)> to_engine);
  ~StoreThread();

  // `restored`: in a new incarnation, as after `ebb restore`.
  Status open(bool restored = false, const ScopeHash& scope = {});
  // Finishes the work at hand, which nobody is left to be told of; the store closes in order.
  void close();
  // The process ends; what is not durable is lost when `power_too`, else in half of the cases.
  void kill(bool power_too);

  // While closed: keeps a copy; brings that copy back, whatever came after it; begins again with
  // nothing.
  void back_up();
  bool has_backup() const { return backed_up_; }
  void restore_backup();
  void erase();

  void append(store::AppendBatch batch);
  void commit(mesh::Commit effect);
  void read(const mesh::Read& effect);
  void begin_incarnation();
  // The epoch is in doubt: the next commit to begin takes another, with all that waits for it.
  void take_epoch();
  DiskMoods& moods() { return moods_; }
  // What the engine heard of the time.
  void hear_peers(const std::optional<PeerClock>& clock);
  // For that long the database cannot grow.
  void fill_disk(Duration duration);
  // In the middle of the next commit, once; a close or kill before that forgets it.
  void at_next_commit(std::function<void()> action) { at_next_commit_ = std::move(action); }
  // From now on nothing stalls or fails.
  void calm();

  // Of an open store: whether the machine's clock is to be believed now.
  bool clock_is_suspect() const;

  // nullptr while closed.
  Storage* store() { return store_.get(); }
  const Storage* store() const { return store_.get(); }
  bool idle() const { return !job_ && appends_.empty() && commits_.empty() && !epoch_wanted_; }
  bool is_committing() const { return job_.has_value(); }
  // Of segments that wait for a commit or are in one.
  std::size_t waiting_bytes() const;

 private:
  struct Job {
    std::vector<store::AppendBatch> appends;
    std::vector<mesh::Commit> commits;
    bool takes_epoch = false;
  };

  void wake();
  bool takes_epoch_next();
  store::CommitBatch batch_of(const Job& job) const;
  void work(const Job& job);
  void tell_records(const Job& job);
  void refuse(const Job& job, const Error& error);
  void answer_clients(const Job& job, const store::CommitResult& result);
  void answer_engine(const Job& job, const store::CommitResult& result);
  void pretend_stored(const mesh::Commit& effect);
  void acknowledge_early(const store::AppendBatch& batch);
  void commit_nothing();
  void later(std::function<void()> action);
  void later_by(Duration delay, std::function<void()> action);
  void upkeep();
  void set_budget();
  // A full disk during its fault is no trouble.
  void trouble(const char* what, const Error& error);

  EventQueue& queue_;
  Observer& observer_;
  FaultCounts& counts_;
  Setup setup_;
  Rng rng_;
  DiskMoods moods_;
  std::function<void(mesh::Input)> to_engine_;
  std::unique_ptr<Storage> store_;
  std::uint64_t life_ = 0;  // what was asked for in an earlier one is answered to nobody
  bool backed_up_ = false;
  std::optional<Job> job_;  // under way; what comes meanwhile gathers in the two below
  std::vector<store::AppendBatch> appends_;
  std::vector<mesh::Commit> commits_;
  std::function<void()> at_next_commit_;
  bool epoch_wanted_ = false;   // and no commit that takes it has begun
  bool clock_suspect_ = false;  // as the engine knows it
  // Planted bugs.
  std::uint64_t foreign_segments_ = 0;
  std::map<LogId, Seq> promised_;
};

}  // namespace ebb::sim
