#include "sim/store_thread.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "core/check.h"
#include "sim/convert.h"
#include "trust/chain.h"

namespace ebb::sim {
namespace {

namespace fs = std::filesystem;

constexpr Duration kHandOver = microseconds(50);  // from one thread of a node to another
constexpr Duration kUpkeepInterval = seconds(5);
constexpr int kMergesPerUpkeep = 4;

// The files as a process that ends leaves them. The lock and the shared memory of the write-ahead
// log belong to the process and go with it.
void copy_store(const fs::path& from, const fs::path& to) {
  std::error_code ignored;
  fs::create_directories(to, ignored);
  for (const fs::directory_entry& entry : fs::directory_iterator(from, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name == "lock" || name.ends_with("-shm")) continue;
    fs::copy(entry.path(), to / name, fs::copy_options::overwrite_existing, ignored);
  }
}

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
      to_engine_(std::move(to_engine)),
      dir_(setup_.dir) {}

StoreThread::~StoreThread() = default;

Status StoreThread::open() {
  EBB_CHECK(store_ == nullptr);
  ++life_;
  std::error_code error;
  fs::create_directories(dir_, error);
  if (error) return Error{ErrorCode::kIo, "directory of a simulated store", error.message()};
  fs::permissions(dir_, fs::perms::owner_all, error);
  if (setup_.bug == PlantedBug::kRestoresOldStore) copy_store(dir_, setup_.dir + ".old");
  store::StoreOptions options;
  options.dir = dir_;
  options.mesh = setup_.mesh;
  options.durability = store::Durability::kMemory;
  options.random = [this] { return rng_.next(); };
  options.now = setup_.wall();
  EBB_ASSIGN(store_, store::Store::open(options, *setup_.identity));
  set_budget();
  queue_.after(kUpkeepInterval, [this, life = life_] {
    if (life == life_) upkeep();
  });
  return {};
}

void StoreThread::close() {
  if (store_ == nullptr) return;
  if (job_) work(*job_);
  job_.reset();
  const Job rest{std::exchange(appends_, {}), std::exchange(commits_, {})};
  if (!rest.appends.empty() || !rest.commits.empty()) work(rest);
  ++life_;
  at_next_commit_ = {};
  store_.reset();
}

void StoreThread::kill(bool power_too) {
  if (store_ == nullptr) return;
  if (job_ && power_too) {
    counts_.count(Fault::kTailLost);
  } else if (job_ && rng_.chance(1, 2)) {
    const Result<store::CommitResult> result = store_->commit(batch_of(*job_));
    if (result) {
      counts_.count(Fault::kCommitUntold);
      observer_.committed(setup_.host, *result);
    }
  }
  ++life_;
  at_next_commit_ = {};
  job_.reset();
  appends_.clear();
  commits_.clear();
  promised_.clear();
  // Copied while it is open: closing it would put it in order, which a kill does not.
  move_to_copy(setup_.bug == PlantedBug::kRestoresOldStore ? setup_.dir + ".old" : dir_);
}

void StoreThread::move_to_copy(const std::string& from) {
  const std::string next = setup_.dir + "." + std::to_string(++moves_);
  copy_store(from, next);
  store_.reset();
  std::error_code ignored;
  fs::remove_all(dir_, ignored);
  dir_ = next;
}

void StoreThread::back_up() {
  EBB_CHECK(store_ == nullptr);
  copy_store(dir_, setup_.dir + ".backup");
  backed_up_ = true;
}

void StoreThread::restore_backup() {
  EBB_CHECK(store_ == nullptr);
  move_to_copy(setup_.dir + ".backup");
}

void StoreThread::erase() {
  EBB_CHECK(store_ == nullptr);
  move_to_copy(setup_.dir + ".nothing");
}

void StoreThread::append(store::AppendBatch batch) {
  if (setup_.bug == PlantedBug::kAcknowledgesTooEarly) acknowledge_early(batch);
  appends_.push_back(std::move(batch));
  wake();
}

void StoreThread::commit(mesh::Commit effect) {
  constexpr std::uint64_t kForgetEvery = 50;
  if (setup_.bug == PlantedBug::kForgetsSegments && effect.segments.size() == 1 &&
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
    const Status begun = store_->begin_incarnation(setup_.wall());
    if (!begun) return trouble("begin_incarnation", begun.error());
    to_engine_(mesh::IncarnationBegun{store_->incarnation()});
  });
}

void StoreThread::fill_disk(Duration duration) {
  moods_.fill(duration);
  set_budget();
  queue_.after(duration, [this] { set_budget(); });
}

void StoreThread::set_budget() {
  if (store_ == nullptr) return;
  // One page is less than any database has: it may not grow.
  const Status set = store_->set_page_count_max(moods_.is_full() ? 1 : 0);
  if (!set) trouble("set_page_count_max", set.error());
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
  job_ = Job{std::exchange(appends_, {}), std::exchange(commits_, {})};
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
  batch.now = setup_.wall();
  return batch;
}

void StoreThread::work(const Job& job) {
  if (const std::optional<Error> failed = moods_.commit_error()) return refuse(job, *failed);
  const Result<store::CommitResult> result = store_->commit(batch_of(job));
  if (!result) {
    trouble("commit", result.error());
    return refuse(job, result.error());
  }
  observer_.committed(setup_.host, *result);
  answer_clients(job, *result);
  answer_engine(job, *result);
}

void StoreThread::refuse(const Job& job, const Error& error) {
  for (const mesh::Commit& effect : job.commits) {
    if (effect.segments.empty()) continue;
    later([this, token = effect.token, error] {
      mesh::Committed answer;
      answer.token = token;
      answer.failed = error;
      answer.arrival_head = store_->arrival_head();
      to_engine_(std::move(answer));
    });
  }
}

void StoreThread::answer_clients(const Job& job, const store::CommitResult& result) {
  EBB_CHECK(result.appends.size() == job.appends.size());
  if (setup_.bug == PlantedBug::kAcknowledgesTooEarly) return;  // They were told long ago.
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
  mesh::Committed own;
  own.own_segments = result.own_segments;
  own.arrival_head = result.arrival_head;
  for (const store::HeadAdvance& advance : result.advances) {
    if (advance.own_append) own.advanced.push_back(stored_head(advance.head));
  }
  if (!own.advanced.empty()) later([this, own] { to_engine_(own); });

  std::size_t next = 0;
  for (const mesh::Commit& effect : job.commits) {
    if (effect.segments.empty()) continue;
    mesh::Committed answer;
    answer.token = effect.token;
    answer.arrival_head = result.arrival_head;
    for (std::size_t i = 0; i < effect.segments.size(); ++i) {
      answer.outcomes.push_back(commit_outcome(result.segments.at(next++)));
    }
    for (const store::HeadAdvance& advance : result.advances) {
      if (mentions(effect, advance.head.log)) answer.advanced.push_back(stored_head(advance.head));
    }
    later([this, answer] { to_engine_(answer); });
  }
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
  const WallTime wall = setup_.wall();
  const Status flushed = store_->flush_state(wall, false);
  if (!flushed) trouble("flush_state", flushed.error());
  for (int i = 0; i < kMergesPerUpkeep; ++i) {
    const Result<bool> merged = store_->merge_step(wall);
    if (!merged) trouble("merge_step", merged.error());
    if (!merged || !*merged) break;
  }
  queue_.after(kUpkeepInterval, [this, life = life_] {
    if (life == life_) upkeep();
  });
}

void StoreThread::trouble(const char* what, const Error& error) {
  if (error.code == ErrorCode::kDiskFull && moods_.is_full()) return moods_.felt_full();
  observer_.trouble(setup_.host, std::string(what) + " failed: " + error.message());
}

}  // namespace ebb::sim
