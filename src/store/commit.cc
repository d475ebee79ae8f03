#include <set>
#include <utility>

#include "store/store.h"
#include "store/store_parts.h"

namespace ebb::store {

// One commit, from nothing stored to everything stored. Until the transaction has committed only
// this object and the database know of it.
class Store::Commit {
 public:
  Commit(StoreParts& store, WallTime now)
      : store_(store),
        logs_(store.logs),
        receive_(logs_, store.segments),
        append_(AppendTarget{store.identity, store.incarnation, logs_, store.logs, store.client_ids,
                             store.fold.fold(), store.topics.size()},
                store.clock, now) {}

  // The batch must outlive the commit.
  void add(const AppendBatch& batch) { result_.appends.push_back(append_.add(batch)); }
  Status write(const CommitBatch& batch);
  CommitResult take_over(const CommitBatch& batch);
  void fold();

 private:
  Status write_appends();
  Status write_segments(const CommitBatch& batch);
  Status write_own_client_ids(WallTime now);

  StoreParts& store_;
  LogStage logs_;
  ReceiveStage receive_;
  AppendStage append_;
  HlcClock clock_;
  std::vector<SealedRun> sealed_;
  bool flushes_ = false;
  CommitResult result_;
};

Status Store::Commit::write(const CommitBatch& batch) {
  flushes_ = store_.fold.due(batch.now);
  if (flushes_) store_.fold.collect();
  EBB_RETURN_IF_ERROR(write_appends());
  clock_ = append_.clock();
  EBB_RETURN_IF_ERROR(write_segments(batch));
  EBB_RETURN_IF_ERROR(logs_.write());
  EBB_RETURN_IF_ERROR(append_.store_client_ids());
  EBB_RETURN_IF_ERROR(write_own_client_ids(batch.now));
  EBB_RETURN_IF_ERROR(store_.side.write(batch));
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
    if (outcome == SegmentOutcome::kStored) clock_.observe(segment.head.hlc, batch.now);
  }
  return {};
}

// Events of ours that come back from others, after a loss here, bring their client ids with them;
// and old ids go as new ones come.
Status Store::Commit::write_own_client_ids(WallTime now) {
  std::int64_t added = static_cast<std::int64_t>(append_.client_id_count());
  for (const ReceivedRun& received : receive_.runs()) {
    const LogRow* row = logs_.find(received.run.log);
    if (row->head.key.device != store_.identity.device()) continue;
    Seq seq = received.run.first_seq;
    for (const codec::EventView& event : received.run.events) {
      if (event.id) {
        const ClientIds::Place place{received.n, seq};
        EBB_RETURN_IF_ERROR(store_.client_ids.insert(*event.id, place, now));
        ++added;
      }
      ++seq;
    }
  }
  if (added == 0) return {};
  return store_.client_ids.prune(2 * added, now);
}

CommitResult Store::Commit::take_over(const CommitBatch& batch) {
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
  store_.clock = clock_;
  store_.last_wall = batch.now;
  store_.side.committed(batch);
  if (flushes_) store_.fold.written(batch.now);
  for (const SealedRun& sealed : sealed_)
    result_.own_segments.push_back(sealed.segment);
  result_.arrival_head = store_.logs.arrival_head();
  return std::move(result_);
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
void Store::Staging::add(const AppendBatch& batch) { commit_->add(batch); }

Store::Staging Store::stage(WallTime now) { return Staging(std::make_unique<Commit>(*impl_, now)); }

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

}  // namespace ebb::store
