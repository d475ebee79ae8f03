#include <set>
#include <utility>

#include "core/limits.h"
#include "store/meta.h"
#include "store/store.h"
#include "store/store_parts.h"

namespace ebb::store {

namespace {

// What a commit stamps with, and the incarnation that it begins.
struct Beginning {
  Status status;
  ClockVerdict verdict;
  HlcClock clock;
  std::optional<Incarnation> incarnation;
  std::optional<StoreEpoch> epoch;
  AppendBatch records;
  std::vector<codec::ClockFix> fixes;
  std::vector<Error> troubles;
};

Beginning judge_clock(const StoreParts& store, const ClockReading& now,
                      std::optional<codec::OpeningReason> reason) {
  Beginning out;
  out.verdict = store.judge.judge(now);
  out.clock = store.clock;
  const Hlc ahead = Hlc::at({out.verdict.time.ms + limits::kRemoteAheadMs}, 0xffff);
  // What the clock took over from others by a time of ours that was wrong, and stamped nothing.
  if (out.clock.last() > ahead) {
    out.clock = store.clock_at(out.verdict.time, store.incarnation);
  }
  const OwnLogs own{store.logs, store.identity.device(), store.incarnation};
  std::vector<codec::ClockFix>& fixes = out.fixes;
  if (out.verdict.repair_ms) {
    FixRecords found = clock_fix_records(own, store.segments, store.line, out.verdict.time,
                                         *out.verdict.repair_ms);
    fixes = std::move(found.fixes);
    out.troubles = std::move(found.damage);
    const std::size_t own_logs = store.logs.count_of(own.device);
    // With it every topic begins a log.
    const bool no_row = store.logs.rows().size() + limits::kTopicsPerDevice >= limits::kKnownLogs ||
                        own_logs + limits::kOwnLogsKept >= limits::kLogsPerDevice;
    if (!fixes.empty() && !reason && no_row) {
      // What else there is to store does not wait for it.
      out.troubles.push_back({ErrorCode::kTooLarge, "too many logs known", "clock repair"});
      out.verdict = store.judge.unrepaired(now, out.verdict);
      fixes.clear();
      return out;
    }
    // The clock was wrong while nothing was stamped: nothing to close, nothing to mend, but what it
    // took over from others meanwhile.
    if (fixes.empty()) out.verdict.repair_ms.reset();
    const bool goes_on = fixes.empty() && !reason;
    out.clock =
        store.clock_at(out.verdict.time, goes_on ? std::optional(store.incarnation) : std::nullopt);
  }
  if (!fixes.empty() && !reason) reason = codec::OpeningReason::kClock;
  if (!reason) return out;
  out.incarnation = store.options.random();
  if (store_is_older(*reason)) out.epoch = store.options.random();
  out.records = record_batch(opening_record(own, *reason), fixes);
  return out;
}

}  // namespace

// One commit, from nothing stored to everything stored. Until the transaction has committed only
// this object and the database know of it.
class Store::Commit {
 public:
  // The clock is judged now: what is added is stamped as it comes.
  Commit(StoreParts& store, const ClockReading& now, std::optional<codec::OpeningReason> reason)
      : store_(store),
        now_(now),
        beginning_(judge_clock(store, now, reason)),
        verdict_(beginning_.verdict),
        logs_(store.logs),
        quotas_(store.quotas, verdict_),
        receive_(logs_, store.segments, quotas_),
        append_(AppendTarget{store.identity, beginning_.incarnation.value_or(store.incarnation),
                             logs_, store.logs, store.client_ids, store.fold.fold(),
                             beginning_.incarnation ? 0 : store.topics.size(),
                             !store.fold.damage().empty()},
                beginning_.clock, verdict_) {
    if (!beginning_.incarnation) return;
    const auto recorded = append_.add(beginning_.records);
    if (!recorded.ok()) beginning_.status = recorded.error();
  }

  // The batch must outlive the commit.
  bool add(const AppendBatch& batch) {
    result_.appends.push_back(append_.add(batch));
    return result_.appends.back().ok();
  }
  Status write(const CommitBatch& batch);
  CommitResult take_over(const CommitBatch& batch);
  void fold();

 private:
  Status write_appends();
  Status write_segments(const CommitBatch& batch);
  Status write_own_client_ids();
  Status write_presences();
  void take_over_epoch();
  void take_over_clock();

  StoreParts& store_;
  const ClockReading now_;
  Beginning beginning_;
  const ClockVerdict& verdict_;
  LogStage logs_;
  QuotaStage quotas_;
  ReceiveStage receive_;
  AppendStage append_;
  HlcClock clock_;
  std::vector<SealedRun> sealed_;
  bool flushes_ = false;
  CommitResult result_;
};

Status Store::Commit::write(const CommitBatch& batch) {
  EBB_RETURN_IF_ERROR(beginning_.status);
  if (beginning_.incarnation) {
    EBB_RETURN_IF_ERROR(put_meta(*store_.db, "incarnation", *beginning_.incarnation));
  }
  if (store_.epoch_doubted && !beginning_.epoch) beginning_.epoch = store_.options.random();
  if (beginning_.epoch) EBB_RETURN_IF_ERROR(put_meta(*store_.db, "epoch", *beginning_.epoch));
  if (batch.probe) {
    const auto now = static_cast<std::uint64_t>(batch.now.monotonic.us);
    EBB_RETURN_IF_ERROR(put_meta(*store_.db, "probe", now));
  }
  flushes_ = store_.fold.due(batch.now.monotonic);
  if (flushes_) store_.fold.collect();
  EBB_RETURN_IF_ERROR(write_appends());
  clock_ = append_.clock();
  EBB_RETURN_IF_ERROR(write_segments(batch));
  EBB_RETURN_IF_ERROR(logs_.write(verdict_.time));
  EBB_RETURN_IF_ERROR(append_.store_client_ids());
  EBB_RETURN_IF_ERROR(write_own_client_ids());
  EBB_RETURN_IF_ERROR(write_presences());
  EBB_RETURN_IF_ERROR(store_.side.write(batch));
  EBB_RETURN_IF_ERROR(store_.authority.write(batch.authority));
  return flushes_ ? store_.write_state() : Status{};
}

Status Store::Commit::write_appends() {
  EBB_RETURN_IF_ERROR(append_.status());
  sealed_ = append_.seal();
  for (const SealedRun& sealed : sealed_) {
    EBB_RETURN_IF_ERROR(
        store_.segments.insert(sealed.n, sealed.segment, sealed.zone, sealed.packed));
  }
  return {};
}

Status Store::Commit::write_segments(const CommitBatch& batch) {
  result_.segments.reserve(batch.segments.size());
  for (const trust::VerifiedSegment& segment : batch.segments) {
    EBB_ASSIGN(const SegmentOutcome outcome, receive_.add(segment));
    result_.segments.push_back(outcome);
    if (outcome == SegmentOutcome::kStored) clock_.observe(segment.head.hlc, verdict_.time);
  }
  return quotas_.write();
}

// Events of ours that come back from others, after a loss here, bring their client ids with them;
// and old ids go as new ones come.
Status Store::Commit::write_own_client_ids() {
  std::int64_t added = static_cast<std::int64_t>(append_.client_id_count());
  for (const ReceivedRun& received : receive_.runs()) {
    const LogRow* row = logs_.find(received.run.log);
    if (row->head.key.device != store_.identity.device()) continue;
    Seq seq = received.run.first_seq;
    for (const codec::EventView& event : received.run.events) {
      if (event.id) {
        const ClientIds::Place place{received.n, seq};
        EBB_RETURN_IF_ERROR(store_.client_ids.insert(*event.id, place, verdict_.time));
        ++added;
      }
      ++seq;
    }
  }
  if (added == 0) return {};
  return store_.client_ids.prune(2 * added, verdict_.time);
}

// Of ours too: what this device has said last decides whether it has to say anything.
Status Store::Commit::write_presences() {
  store_.presences.begin();
  for (const SealedRun& sealed : sealed_) {
    const LogKey& key = sealed.segment.key;
    if (key.topic != kControlTopic) continue;
    EBB_RETURN_IF_ERROR(store_.presences.note(key.device, sealed.run));
  }
  for (const ReceivedRun& received : receive_.runs()) {
    const LogKey& key = logs_.find(received.run.log)->head.key;
    if (key.topic != kControlTopic) continue;
    EBB_RETURN_IF_ERROR(store_.presences.note(key.device, received.run));
  }
  return {};
}

CommitResult Store::Commit::take_over(const CommitBatch& batch) {
  take_over_epoch();
  take_over_clock();
  result_.advances = logs_.apply();
  std::set<LogId> sealed_logs;
  for (const SealedRun& sealed : sealed_)
    sealed_logs.insert(sealed.segment.log);
  for (HeadAdvance& advance : result_.advances) {
    const LogKey& key = advance.head.key;
    advance.own_append = sealed_logs.contains(advance.head.log);
    const bool open_log =
        key.device == store_.identity.device() && key.incarnation == store_.incarnation;
    if (open_log && key.topic != kControlTopic) store_.topics.insert(key.topic);
    store_.merge.touch(store_.logs.find(advance.head.log)->n);
  }
  store_.side.committed(batch);
  quotas_.committed();
  result_.damage = quotas_.take_damage();
  result_.presences = store_.presences.committed();
  if (flushes_) store_.fold.written(batch.now.monotonic);
  for (const SealedRun& sealed : sealed_)
    result_.own_segments.push_back(sealed.segment);
  result_.arrival_head = store_.logs.arrival_head();
  return std::move(result_);
}

void Store::Commit::take_over_epoch() {
  if (!beginning_.epoch) return;
  store_.epoch = *beginning_.epoch;
  store_.epoch_doubted = false;
  result_.epoch = store_.epoch;
}

void Store::Commit::take_over_clock() {
  store_.clock = clock_;
  result_.clock = verdict_;
  result_.clock_troubles = beginning_.troubles;
  // What was only received, or told of peers, was stamped by nobody here: it must not make a clock
  // that is wrong just now the measure of a right one.
  if (sealed_.empty() && !verdict_.repair_ms) return;
  store_.judge.follow(now_, verdict_);
  if (verdict_.new_line) store_.line.begin(std::move(beginning_.fixes));
  for (const SealedRun& sealed : sealed_) {
    store_.line.stamped(sealed.segment.log, sealed.segment.first_seq, sealed.segment.last_seq());
  }
  if (!beginning_.incarnation) return;
  store_.incarnation = *beginning_.incarnation;
  store_.topics.clear();
  result_.begun = Begun{store_.incarnation, store_.epoch};
}

void Store::Commit::fold() {
  for (const SealedRun& sealed : sealed_)
    store_.fold.apply(sealed.run, sealed.segment.key.topic);
  for (const ReceivedRun& received : receive_.runs())
    store_.fold.apply(received.run, store_.logs.at(received.n)->head.key.topic);
}

Status Store::run(Commit& commit, const CommitBatch& batch) {
  Transaction transaction(*impl_->db);
  EBB_RETURN_IF_ERROR(impl_->begin(transaction));
  EBB_RETURN_IF_ERROR(commit.write(batch));
  return impl_->finish(transaction);
}

Store::Staging::Staging(std::unique_ptr<Commit> commit) : commit_(std::move(commit)) {}
Store::Staging::~Staging() = default;
Store::Staging::Staging(Staging&&) noexcept = default;
bool Store::Staging::add(const AppendBatch& batch) { return commit_->add(batch); }

Store::Staging Store::stage(const ClockReading& now) {
  return Staging(std::make_unique<Commit>(*impl_, now, std::nullopt));
}

void Store::commit(Staging staging, const CommitBatch& batch, const CommitDone& durable) {
  Commit& commit = *staging.commit_;
  for (const AppendBatch& append : batch.appends)
    commit.add(append);
  const Status stored = run(commit, batch);
  if (!stored.ok()) return durable(stored.error());
  durable(commit.take_over(batch));
  commit.fold();
}

Result<CommitResult> Store::commit(const CommitBatch& batch) {
  Result<CommitResult> result = Error{};
  commit(stage(batch.now), batch,
         [&result](Result<CommitResult> stored) { result = std::move(stored); });
  return result;
}

Result<CommitResult> Store::begin_incarnation(codec::OpeningReason reason,
                                              const ClockReading& now) {
  CommitBatch nothing;
  nothing.now = now;
  Result<CommitResult> result = Error{};
  commit(Staging(std::make_unique<Commit>(*impl_, now, reason)), nothing,
         [&result](Result<CommitResult> stored) { result = std::move(stored); });
  return result;
}

void Store::doubt_epoch() { impl_->epoch_doubted = true; }

}  // namespace ebb::store
