#include "node/store_thread.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "core/limits.h"
#include "node/clocks.h"

namespace ebb::node {
namespace {

using std::chrono::milliseconds;

// State is written this long after it first changed.
constexpr milliseconds kFlushDelay{limits::kMsBetweenMarks};
// Merging waits for a pause, so that it does not stand in the way of the next commit, but not for
// ever: a log that gets one event at a time makes one small segment of each.
constexpr milliseconds kMergeQuiet{500};
constexpr std::uint64_t kCommitsBetweenMerges = 64;
constexpr milliseconds kCheckpointQuiet{2000};
constexpr std::uint64_t kCommitsBetweenCheckpoints = 256;
// How long a commit waits for the next part of a client whose parts follow each other.
constexpr milliseconds kRestPatience{5};

bool waits_for_answer(const mesh::Commit& commit) {
  return commit.is_answered() || !commit.reconciliations.empty() || !commit.budgets.empty();
}

std::size_t encoded_bytes(const std::vector<trust::VerifiedSegment>& segments) {
  std::size_t bytes = 0;
  for (const trust::VerifiedSegment& segment : segments)
    bytes += segment.encoded->size();
  return bytes;
}

// Nothing of them is stored.
void break_off(std::vector<QueuedAppend>& appends) {
  for (QueuedAppend& append : appends)
    append.part.break_off();
}

}  // namespace

StoreThread::StoreThread(std::unique_ptr<store::Store> store, LoopInbox& inbox, Reports reports)
    : inbox_(inbox),
      reports_(std::move(reports)),
      store_(std::move(store)),
      thread_([this] { main(); }) {}

StoreThread::~StoreThread() {
  EBB_CHECK(stopping_);
  thread_.join();
}

void StoreThread::append(QueuedAppend append) {
  const std::lock_guard<std::mutex> lock(mutex_);
  appends_.push_back(std::move(append));
  wake_.notify_one();
}

std::vector<QueuedAppend> StoreThread::take_back_appends() {
  const std::lock_guard<std::mutex> lock(mutex_);
  std::vector<QueuedAppend> taken(std::make_move_iterator(appends_.begin()),
                                  std::make_move_iterator(appends_.end()));
  appends_.clear();
  return taken;
}

void StoreThread::commit(mesh::Commit commit) {
  const std::lock_guard<std::mutex> lock(mutex_);
  const bool rides =
      !waits_for_answer(commit) && riders_ == commits_.size() && riders_ < limits::kRowsRiding;
  if (rides) ++riders_;
  commits_.push_back(std::move(commit));
  if (!rides) wake_.notify_one();
}

void StoreThread::run(std::function<Answer(store::Store&)> job) {
  const std::lock_guard<std::mutex> lock(mutex_);
  jobs_.push_back({std::move(job)});
  wake_.notify_one();
}

void StoreThread::run_writing(std::function<Answer(store::Store&)> job) {
  const std::lock_guard<std::mutex> lock(mutex_);
  jobs_.push_back({std::move(job), true});
  wake_.notify_one();
}

void StoreThread::stop(std::function<void()> stopped) {
  const std::lock_guard<std::mutex> lock(mutex_);
  stopping_ = true;
  stopped_ = std::move(stopped);
  wake_.notify_one();
}

void StoreThread::commit_kept() {
  const std::lock_guard<std::mutex> lock(mutex_);
  kept_wanted_ = true;
  wake_.notify_one();
}

void StoreThread::take_epoch() {
  const std::lock_guard<std::mutex> lock(mutex_);
  epoch_wanted_ = true;
  kept_wanted_ = true;
  wake_.notify_one();
}

void StoreThread::note_doubt() {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (std::exchange(epoch_wanted_, false)) store_->doubt_epoch();
}

Duration StoreThread::write_waits() const {
  const std::int64_t since = writing_since_us_.load();
  return since == 0 ? Duration{} : monotonic_now() - Instant{since};
}

void StoreThread::note_writing(bool writing) {
  writing_since_us_.store(writing ? monotonic_now().us : 0);
}

bool StoreThread::has_work() const {
  return stopping_ || kept_wanted_ || !appends_.empty() || commits_.size() > riders_ ||
         !jobs_.empty();
}

void StoreThread::main() {
  for (;;) {
    Work work = take_work();
    if (work.commits_something() || work.kept || (work.stop && has_kept())) commit_work(work);
    for (Job& job : work.jobs)
      do_job(std::move(job));
    if (work.stop) break;
    do_chore();
  }
  store_.reset();
  inbox_.post(std::move(stopped_));
}

void StoreThread::do_job(Job job) {
  const Arrival before = store_->arrival_head();
  note_doubt();
  if (job.writes) note_writing(true);
  Answer answer = job.run(*store_);
  note_writing(false);
  if (store_->arrival_head() != before) plan_chores();
  // The job goes with its answer: what it captured belongs to the loop.
  inbox_.post([job = std::move(job), answer = std::move(answer)] { answer(); });
}

StoreThread::Work StoreThread::take_work() {
  std::unique_lock<std::mutex> lock(mutex_);
  const auto ready = [this] { return has_work(); };
  if (const std::optional<Clock::time_point> due = chores_.next()) {
    wake_.wait_until(lock, *due, ready);
  } else {
    wake_.wait(lock, ready);
  }
  Work work;
  if (!has_work()) return work;
  take_appends(work);
  take_commits(work);
  work.kept = std::exchange(kept_wanted_, false);
  // Jobs see everything that was queued before them, so they wait until that is taken.
  if (!appends_.empty() || !commits_.empty()) return work;
  std::move(jobs_.begin(), jobs_.end(), std::back_inserter(work.jobs));
  jobs_.clear();
  work.stop = stopping_;
  return work;
}

void StoreThread::take_appends(Work& work) {
  std::size_t events = 0;
  std::size_t bytes = 0;
  for (const QueuedAppend& taken : work.appends) {
    events += taken.events;
    bytes += taken.bytes;
  }
  while (!appends_.empty()) {
    const QueuedAppend& next = appends_.front();
    events += next.events;
    bytes += next.bytes;
    const bool full = events > limits::kAppendQueueEvents || bytes > limits::kAppendQueueBytes;
    if (full && !work.appends.empty()) return;
    work.appends.push_back(std::move(appends_.front()));
    appends_.pop_front();
  }
}

void StoreThread::stage_append(QueuedAppend& append, store::Store::Staging& staging,
                               std::deque<store::AppendBatch>& batches) {
  if (append.part.behind_a_break()) return;
  append.staged = true;
  if (!staging.add(batches.emplace_back(std::move(append.batch)))) append.part.break_off();
}

void StoreThread::stage_rest(Work& work, store::Store::Staging& staging,
                             std::deque<store::AppendBatch>& batches) {
  const Clock::time_point patience = Clock::now() + kRestPatience;
  while (!work.appends.empty() && work.appends.back().part.more_soon) {
    const std::size_t staged = work.appends.size();
    {
      std::unique_lock<std::mutex> lock(mutex_);
      const bool came = wake_.wait_until(lock, patience, [this] { return has_work(); });
      // Whatever else there is to do need not wait for a client.
      if (!came || appends_.empty()) return;
      take_appends(work);
    }
    if (work.appends.size() == staged) return;  // the transaction is full
    for (std::size_t i = staged; i < work.appends.size(); ++i)
      stage_append(work.appends[i], staging, batches);
  }
}

void StoreThread::take_commits(Work& work) {
  std::size_t bytes = 0;
  while (!commits_.empty()) {
    bytes += encoded_bytes(commits_.front().segments);
    if (bytes > limits::kAppendQueueBytes && !work.commits.empty()) return;
    work.commits.push_back(std::move(commits_.front()));
    commits_.pop_front();
    if (riders_ > 0) --riders_;
  }
}

void StoreThread::commit_work(Work& work) {
  CommitReport report;
  store::Store::Staging staging = store_->stage(clock_reading());
  std::deque<store::AppendBatch> batches;  // what is staged stays in its place
  for (QueuedAppend& append : work.appends)
    stage_append(append, staging, batches);
  stage_rest(work, staging, batches);
  store::CommitBatch batch = std::exchange(kept_, {});
  batch.now = clock_reading();
  batch.probe = work.kept;
  for (mesh::Commit& commit : work.commits) {
    if (commit.token != mesh::Token{} && commit.is_answered()) {
      report.parts.push_back({commit.token, commit.segments.size()});
    }
    add_to_batch(std::move(commit), batch);
  }
  report.appends = std::move(work.appends);
  const Instant started = monotonic_now();
  bool failed = false;
  note_doubt();
  note_writing(true);
  store_->commit(std::move(staging), batch, [&](Result<store::CommitResult> result) {
    note_writing(false);
    failed = !result.ok();
    report.result = std::move(result);
    report.took = monotonic_now() - started;
    report.clock = store_->clock_judge();
    if (report.result.ok()) plan_chores();
    if (failed) break_off(report.appends);
    // A std::function can be copied, a report should not be: the task shares it and is run once.
    auto shared = std::make_shared<CommitReport>(std::move(report));
    inbox_.post([this, shared = std::move(shared)] { reports_.committed(std::move(*shared)); });
  });
  const std::size_t lost = failed ? keep_rows(batch, kept_) : 0;
  if (lost > 0) report_chore("rows", {ErrorCode::kTooLarge, "rows lost", std::to_string(lost)});
}

bool StoreThread::has_kept() const {
  return !kept_.cursors.empty() || !kept_.reconciliations.empty() || !kept_.peers.empty() ||
         !kept_.link_budgets.empty();
}

std::optional<StoreThread::Clock::time_point> StoreThread::Chores::next() const {
  std::optional<Clock::time_point> earliest;
  for (const std::optional<Clock::time_point>& due : {flush, merge, checkpoint}) {
    if (due && (!earliest || *due < *earliest)) earliest = due;
  }
  return earliest;
}

void StoreThread::plan_chores() {
  const Clock::time_point now = Clock::now();
  if (!chores_.flush) chores_.flush = now + kFlushDelay;
  ++chores_.commits_since_merge;
  const bool many = chores_.commits_since_merge >= kCommitsBetweenMerges;
  chores_.merge = many ? now : now + kMergeQuiet;
  ++chores_.commits_since_checkpoint;
  if (chores_.commits_since_checkpoint >= kCommitsBetweenCheckpoints) {
    chores_.checkpoint = now + kCheckpointQuiet;
  }
}

// One chore that is due, or none: between two of them the queue is looked at. All but the flush
// wait while there is work.
void StoreThread::do_chore() {
  const Clock::time_point now = Clock::now();
  if (chores_.flush && *chores_.flush <= now) return do_flush(now);
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (has_work()) return;
  }
  if (chores_.merge && *chores_.merge <= now) return do_merge(now);
  if (chores_.checkpoint && *chores_.checkpoint <= now) {
    chores_.checkpoint.reset();
    chores_.commits_since_checkpoint = 0;
    note_writing(true);
    const Status done = store_->checkpoint();
    note_writing(false);
    if (!done.ok()) report_chore("checkpoint", done.error());
  }
}

void StoreThread::do_flush(Clock::time_point now) {
  chores_.flush.reset();
  note_writing(true);
  const Status flushed = store_->flush_state(monotonic_now(), true);
  note_writing(false);
  if (flushed.ok()) return;
  chores_.flush = now + kFlushDelay;
  report_chore("flush", flushed.error());
}

void StoreThread::do_merge(Clock::time_point now) {
  note_writing(true);
  const Result<bool> merged = store_->merge_step();
  note_writing(false);
  if (merged.ok() && *merged) {
    chores_.merge = now;
    inbox_.post([this] { reports_.merged(); });
    return;
  }
  chores_.merge.reset();
  chores_.commits_since_merge = 0;
  if (!merged.ok()) report_chore("merge", merged.error());
}

void StoreThread::report_chore(const char* name, const Error& error) {
  inbox_.post([this, name, error] { reports_.chore_failed(name, error); });
}

}  // namespace ebb::node
