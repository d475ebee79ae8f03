// StoreThread: the thread that owns the store, and the queue in front of it.
//
// Model:     while one transaction is syncing, what comes gathers and becomes the next one: group
//            commit without a timer. An idle thread starts on the first item at once; where a
//            client's next part is said to follow, it prepares what is there and waits for the
//            rest a few milliseconds at the most. Everything is
//            answered on the loop, in order. Behind a part of a stream that is not stored nothing
//            of that stream is. When nothing is queued it does chores: state is
//            flushed, small segments are merged, the WAL is checkpointed.
// Ownership: owns the store; `inbox` must outlive it. stop() before destruction.
// Threads:   call on the loop thread; its callbacks run there too.
// Errors:    a transaction that fails is reported with its error; nothing of it is stored. Its
//            cursors, reconciliations, peers and link budgets go with the next one, the last of all
//            at stop().
// Limits:    one transaction takes kAppendQueueEvents events and kAppendQueueBytes of segments or
//            appends, the rest stays for the next. Callers bound what they queue.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "mesh/types.h"
#include "node/append_stream.h"
#include "node/convert.h"
#include "node/loop_inbox.h"
#include "store/store.h"
#include "store/types.h"

namespace ebb::node {

using AppendDone = std::function<void(Result<std::vector<store::DotRange>>)>;

// An append with what it counts for in the queue.
struct QueuedAppend {
  store::AppendBatch batch;
  AppendDone done;
  std::size_t events = 0;
  std::size_t bytes = 0;
  AppendPart part;
  bool staged = false;  // what the transaction has taken; the other parts are behind a break
};

// What became of one transaction.
struct CommitReport {
  Result<store::CommitResult> result = Error{};
  // Without their items; those that were staged are in the order of result.appends.
  std::vector<QueuedAppend> appends;
  std::vector<CommitPart> parts;
  Duration took;
  std::optional<ClockJudge> clock;  // as it stands after it
};

class StoreThread {
 public:
  struct Reports {
    std::function<void(CommitReport)> committed;
    std::function<void()> merged;                                 // one merge was made
    std::function<void(const char*, const Error&)> chore_failed;  // which, and why
  };
  StoreThread(std::unique_ptr<store::Store> store, LoopInbox& inbox, Reports reports);
  // stop() must have been called and answered.
  ~StoreThread();
  StoreThread(const StoreThread&) = delete;
  StoreThread& operator=(const StoreThread&) = delete;

  void append(QueuedAppend append);
  // What is queued and not staged yet, in order: it is the caller's again.
  std::vector<QueuedAppend> take_back_appends();
  // A commit of cursors and peers alone waits for the next transaction.
  void commit(mesh::Commit commit);
  // A transaction of such rows, and of nothing where there are none.
  void commit_kept();
  // The epoch is in doubt: the next transaction to be written, with all that waits for it, begins
  // with another one (CommitResult::epoch), and so does each after one that failed until it is.
  void take_epoch();
  // How long the disk has been owing an answer to what is being written; zero: to nothing.
  Duration write_waits() const;
  // Runs `job` between transactions, after everything queued before it; what it returns runs on
  // the loop.
  using Answer = std::function<void()>;
  void run(std::function<Answer(store::Store&)> job);
  // The same for a job that writes: write_waits() tells of it.
  void run_writing(std::function<Answer(store::Store&)> job);
  // Does everything that is queued, flushes, closes the store; then `stopped` on the loop.
  void stop(std::function<void()> stopped);

 private:
  using Clock = std::chrono::steady_clock;
  struct Job {
    std::function<Answer(store::Store&)> run;
    bool writes = false;
  };
  struct Work {
    std::vector<QueuedAppend> appends;
    std::vector<mesh::Commit> commits;
    std::vector<Job> jobs;
    bool stop = false;
    bool kept = false;  // a transaction whatever there is
    // Without rows that are kept.
    bool commits_something() const { return !appends.empty() || !commits.empty(); }
  };
  struct Chores {
    std::optional<Clock::time_point> flush, merge, checkpoint;
    std::uint64_t commits_since_merge = 0, commits_since_checkpoint = 0;
    std::optional<Clock::time_point> next() const;
  };

  void main();
  // Waits for work or for a chore to be due; the latter gives empty work.
  Work take_work();
  bool has_work() const;  // under mutex_
  void take_appends(Work& work);
  static void stage_append(QueuedAppend& append, store::Store::Staging& staging,
                           std::deque<store::AppendBatch>& batches);
  // Waits for what an append with more_soon announced and stages it too.
  void stage_rest(Work& work, store::Store::Staging& staging,
                  std::deque<store::AppendBatch>& batches);
  void take_commits(Work& work);
  void commit_work(Work& work);
  void do_job(Job job);
  bool has_kept() const;
  void plan_chores();
  void do_chore();
  void note_writing(bool writing);
  // Before each transaction.
  void note_doubt();
  void do_flush(Clock::time_point now);
  void do_merge(Clock::time_point now);
  void report_chore(const char* name, const Error& error);

  LoopInbox& inbox_;
  Reports reports_;
  std::unique_ptr<store::Store> store_;  // the store thread's
  Chores chores_;                        // the store thread's
  store::CommitBatch kept_;              // the store thread's: rows of transactions that failed

  std::mutex mutex_;
  std::condition_variable wake_;
  // Under mutex_:
  std::deque<QueuedAppend> appends_;
  std::deque<mesh::Commit> commits_;
  std::size_t riders_ = 0;  // leading commits that nobody waits for
  std::deque<Job> jobs_;
  std::function<void()> stopped_;
  bool stopping_ = false;
  bool kept_wanted_ = false;
  bool epoch_wanted_ = false;

  std::atomic<std::int64_t> writing_since_us_{0};  // monotonic; 0: nothing is being written

  std::thread thread_;
};

}  // namespace ebb::node
