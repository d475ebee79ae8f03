#include "sim/store_thread.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/planted.h"
#include "sim/convert.h"
#include "trust/chain.h"

namespace ebb::sim {
namespace {

constexpr Duration kHandOver = microseconds(50);  // from one thread of a node to another
constexpr Duration kUpkeepInterval = seconds(5);
constexpr Duration kRetry = seconds(1);
constexpr int kBackupCopy = 1;
constexpr int kCopyOfStart = 2;  // of a planted bug

bool mentions(const mesh::Commit& commit, const LogId& log) {
  return std::any_of(commit.segments.begin(), commit.segments.end(),
                     [&](const trust::VerifiedSegment& segment) { return segment.log == log; });
}

}  // namespace

StoreThread::StoreThread(EventQueue& queue, Observer& observer, FaultCounts& counts, Setup setup,
                         Rng rng, std::function<void(mesh::Input)> to_engine)
    : queue_(queue),
      observer_(observer),
      counts_(counts),
      setup_(std::move(setup)),
      rng_(rng),
      moods_(queue, counts, setup_.disk, rng_.fork()),
      to_engine_(std::move(to_engine)) {}

StoreThread::~StoreThread() = default;

Status StoreThread::open(bool restored, const ScopeHash& scope) {
  EBB_CHECK(store_ == nullptr);
  ++life_;
  if (planted(Bug::kStoreGoesBack)) setup_.medium->back_up(kCopyOfStart);
  const OpenStorage how{setup_.mesh,    *setup_.identity, [this] { return rng_.next(); },
                        setup_.clock(), setup_.built,     scope,
                        setup_.quota};
  EBB_ASSIGN(store_, setup_.medium->open(how));
  if (restored && !planted(Bug::kSameIncarnationAfterRestore)) {
    const auto begun = store_->begin_incarnation(codec::OpeningReason::kRestore, setup_.clock());
    if (!begun) return begun.error();
  }
  clock_suspect_ = clock_is_suspect();
  set_budget();
  queue_.after(kUpkeepInterval, [this, life = life_] {
    if (life == life_) upkeep();
  });
  return {};
}

bool StoreThread::clock_is_suspect() const {
  return store_->clock_judge().judge(setup_.clock()).suspect();
}

void StoreThread::close() {
  if (store_ == nullptr) return;
  if (job_) work(*job_);
  job_.reset();
  if (!idle()) {
    work({std::exchange(appends_, {}), std::exchange(commits_, {}),
          std::exchange(epoch_wanted_, false)});
  }
  ++life_;
  at_next_commit_ = {};
  store_.reset();
}

void StoreThread::kill(bool power_too) {
  if (store_ == nullptr) return;
  if (job_ && power_too) {
    counts_.count(Fault::kTailLost);
  } else if (job_ && rng_.chance(1, 2)) {
    if (job_->takes_epoch) store_->doubt_epoch();
    const Result<store::CommitResult> result = store_->commit(batch_of(*job_));
    if (result) {
      counts_.count(Fault::kCommitUntold);
      observer_.committed(setup_.host, *result);
      tell_records(*job_);
    }
  }
  ++life_;
  at_next_commit_ = {};
  job_.reset();
  appends_.clear();
  commits_.clear();
  epoch_wanted_ = false;
  promised_.clear();
  setup_.medium->kill(std::move(store_));
  if (planted(Bug::kStoreGoesBack)) setup_.medium->restore(kCopyOfStart);
}

void StoreThread::back_up() {
  EBB_CHECK(store_ == nullptr);
  setup_.medium->back_up(kBackupCopy);
  backed_up_ = true;
}

void StoreThread::restore_backup() {
  EBB_CHECK(store_ == nullptr && backed_up_);
  setup_.medium->restore(kBackupCopy);
}

void StoreThread::erase() {
  EBB_CHECK(store_ == nullptr);
  setup_.medium->erase();
}

void StoreThread::append(store::AppendBatch batch) {
  if (planted(Bug::kAcknowledgeBeforeDurable)) acknowledge_early(batch);
  appends_.push_back(std::move(batch));
  wake();
}

void StoreThread::commit(mesh::Commit effect) {
  constexpr std::uint64_t kForgetEvery = 50;
  if (planted(Bug::kAnswerUnstored) && effect.segments.size() == 1 &&
      ++foreign_segments_ % kForgetEvery == 0) {
    return pretend_stored(effect);
  }
  commits_.push_back(std::move(effect));
  wake();
}

void StoreThread::read(const mesh::Read& effect) {
  queue_.after(moods_.read_duration(), [this, effect, life = life_] {
    if (life != life_) return;
    mesh::ReadDone done{effect.token, moods_.read_error(), {}};
    if (done.failed) return to_engine_(std::move(done));
    auto segments = store_->read_segments(effect.log, effect.from, effect.to, effect.bytes_max);
    if (segments) {
      done.segments = std::move(*segments);
    } else {
      trouble("read_segments", segments.error());
      done.failed = segments.error();
    }
    to_engine_(std::move(done));
  });
}

void StoreThread::begin_incarnation() {
  later([this] {
    if (takes_epoch_next()) store_->doubt_epoch();
    const auto begun = store_->begin_incarnation(codec::OpeningReason::kRollback, setup_.clock());
    if (!begun) {
      // A full disk has no room for the record either; nothing goes out until it has.
      trouble("begin_incarnation", begun.error());
      return later_by(kRetry, [this] { begin_incarnation(); });
    }
    observer_.committed(setup_.host, *begun);
    answer_engine({}, *begun);
  });
}

void StoreThread::take_epoch() {
  epoch_wanted_ = true;
  wake();
}

bool StoreThread::takes_epoch_next() {
  const bool waits = !appends_.empty() || !commits_.empty();
  if (planted(Bug::kLateEpoch) && waits) return false;
  // What is under way was to take it: whatever is stored before that takes it instead.
  const bool of_job = job_ && std::exchange(job_->takes_epoch, false);
  return std::exchange(epoch_wanted_, false) || of_job;
}

void StoreThread::hear_peers(const std::optional<PeerClock>& clock) {
  later([this, clock] {
    store_->hear_peers(clock);
    if (clock) observer_.heard_time(setup_.host, clock->at(setup_.clock().monotonic));
    // A clock that is proven wrong is not left so until the next event.
    if (store_->clock_judge().judge(setup_.clock()).repair_ms) commit_nothing();
  });
}

void StoreThread::commit_nothing() {
  const bool takes_epoch = takes_epoch_next();
  if (takes_epoch) store_->doubt_epoch();
  store::CommitBatch nothing;
  nothing.now = setup_.clock();
  const auto repaired = store_->commit(nothing);
  if (!repaired) {
    if (takes_epoch) later_by(kRetry, [this] { commit_nothing(); });
    return trouble("commit", repaired.error());
  }
  observer_.committed(setup_.host, *repaired);
  answer_engine({}, *repaired);
}

void StoreThread::fill_disk(Duration duration) {
  moods_.fill(duration);
  set_budget();
  queue_.after(duration, [this] { set_budget(); });
}

void StoreThread::set_budget() {
  if (store_ == nullptr) return;
  const Status set = store_->set_full(moods_.is_full());
  if (!set) trouble("set_full", set.error());
}

void StoreThread::calm() {
  moods_.calm();
  set_budget();
}

void StoreThread::later(std::function<void()> action) { later_by(kHandOver, std::move(action)); }

void StoreThread::later_by(Duration delay, std::function<void()> action) {
  queue_.after(delay, [this, life = life_, action = std::move(action)] {
    if (life == life_) action();
  });
}

std::size_t StoreThread::waiting_bytes() const {
  std::size_t bytes = 0;
  const auto add = [&bytes](const std::vector<mesh::Commit>& commits) {
    for (const mesh::Commit& commit : commits) {
      for (const trust::VerifiedSegment& segment : commit.segments)
        bytes += segment.encoded->size();
    }
  };
  add(commits_);
  if (job_) add(job_->commits);
  return bytes;
}

void StoreThread::wake() {
  if (idle() || job_) return;
  const bool takes_epoch = takes_epoch_next();
  job_ = Job{std::exchange(appends_, {}), std::exchange(commits_, {}), takes_epoch};
  const Duration duration = moods_.commit_duration();
  if (at_next_commit_) later_by(duration / 2, std::exchange(at_next_commit_, {}));
  queue_.after(duration, [this, life = life_] {
    if (life != life_) return;
    work(*job_);
    job_.reset();
    wake();
  });
}

store::CommitBatch StoreThread::batch_of(const Job& job) const {
  store::CommitBatch batch;
  batch.appends = job.appends;
  for (const mesh::Commit& effect : job.commits)
    add_to_batch(effect, batch);
  batch.now = setup_.clock();
  return batch;
}

void StoreThread::work(const Job& job) {
  const std::optional<Error> failed = moods_.commit_error();
  if (job.takes_epoch) store_->doubt_epoch();
  const Result<store::CommitResult> result = failed ? *failed : store_->commit(batch_of(job));
  if (!result) {
    if (!failed) trouble("commit", result.error());
    // The store has not forgotten it: any commit takes it.
    if (job.takes_epoch) later_by(kRetry, [this] { commit_nothing(); });
    return refuse(job, result.error());
  }
  observer_.committed(setup_.host, *result);
  tell_records(job);
  answer_clients(job, *result);
  answer_engine(job, *result);
}

void StoreThread::tell_records(const Job& job) {
  for (const mesh::Commit& effect : job.commits) {
    if (!effect.authority.empty()) {
      observer_.kept_records(setup_.host, effect.authority.records);
    }
  }
}

void StoreThread::refuse(const Job& job, const Error& error) {
  for (const mesh::Commit& effect : job.commits) {
    if (!effect.is_answered()) continue;
    later([this, token = effect.token, error] {
      mesh::Committed answer;
      answer.token = token;
      answer.failed = error;
      to_engine_(std::move(answer));
    });
  }
}

void StoreThread::answer_clients(const Job& job, const store::CommitResult& result) {
  EBB_CHECK(result.appends.size() == job.appends.size());
  if (planted(Bug::kAcknowledgeBeforeDurable)) return;  // They were told long ago.
  for (std::size_t i = 0; i < job.appends.size(); ++i) {
    const Result<std::vector<store::DotRange>>& ranges = result.appends[i];
    if (!ranges) {
      trouble("append", ranges.error());
      continue;
    }
    later([this, batch = job.appends[i], dots = *ranges] {
      observer_.acknowledged(setup_.host, batch, dots);
    });
  }
}

void StoreThread::answer_engine(const Job& job, const store::CommitResult& result) {
  if (result.clock.suspect() != clock_suspect_) {
    clock_suspect_ = result.clock.suspect();
    later([this, suspect = clock_suspect_] { to_engine_(mesh::ClockJudged{suspect}); });
  }
  if (result.begun) {
    const mesh::IncarnationBegun begun{result.begun->incarnation, result.begun->epoch};
    later([this, begun] { to_engine_(begun); });
  }
  if (result.epoch) later([this, epoch = *result.epoch] { to_engine_(mesh::EpochTaken{epoch}); });
  std::vector<mesh::Committed> answers;
  mesh::Committed own;
  own.own_segments = result.own_segments;
  for (const store::HeadAdvance& advance : result.advances) {
    if (advance.own_append) own.advanced.push_back(stored_head(advance.head));
  }
  if (!own.advanced.empty()) answers.push_back(std::move(own));

  std::size_t next = 0;
  for (const mesh::Commit& effect : job.commits) {
    if (!effect.is_answered()) continue;
    mesh::Committed answer;
    answer.token = effect.token;
    for (std::size_t i = 0; i < effect.segments.size(); ++i) {
      answer.outcomes.push_back(commit_outcome(result.segments.at(next++)));
    }
    for (const store::HeadAdvance& advance : result.advances) {
      if (mentions(effect, advance.head.log)) answer.advanced.push_back(stored_head(advance.head));
    }
    answers.push_back(std::move(answer));
  }
  if (!answers.empty()) {
    for (const store::PresenceRow& row : result.presences)
      answers.front().presences.push_back({row.device, row.hlc, row.said});
    answers.back().arrival_head = result.arrival_head;
  }
  for (mesh::Committed& answer : answers)
    later([this, answer = std::move(answer)]() mutable { to_engine_(std::move(answer)); });
}

void StoreThread::pretend_stored(const mesh::Commit& effect) {
  const trust::VerifiedSegment& segment = effect.segments.front();
  mesh::Committed answer;
  answer.token = effect.token;
  answer.outcomes = {mesh::CommitOutcome::kStored};
  answer.arrival_head = store_->arrival_head();
  mesh::StoredHead head;
  head.key = segment.key;
  head.log = segment.log;
  head.held = {segment.last_seq(), segment.chain};
  head.hlc = segment.head.hlc;
  head.signature = segment.head.signature;
  head.arrival = answer.arrival_head;
  answer.advanced.push_back(head);
  later([this, answer] { to_engine_(answer); });
}

void StoreThread::acknowledge_early(const store::AppendBatch& batch) {
  const LogId log = trust::log_id({setup_.identity->device(), store_->incarnation(), batch.topic});
  Seq& last = promised_[log];
  for (const store::HeadRecord& head : store_->heads()) {
    if (head.log == log) last = std::max(last, head.held.seq);
  }
  store::DotRange range;
  range.log = log;
  range.first_seq = last + 1;
  range.count = batch.items.size();
  last += range.count;
  observer_.acknowledged(setup_.host, batch, {range});
}

void StoreThread::upkeep() {
  const Status done = store_->upkeep(setup_.clock());
  if (!done) trouble("upkeep", done.error());
  queue_.after(kUpkeepInterval, [this, life = life_] {
    if (life == life_) upkeep();
  });
}

void StoreThread::trouble(const char* what, const Error& error) {
  if (error.code == ErrorCode::kDiskFull && moods_.is_full()) return moods_.felt_full();
  observer_.trouble(setup_.host, std::string(what) + " failed: " + error.message());
}

}  // namespace ebb::sim
