// A store in memory: a naive model of store/store.h, for runs that are to be fast. What is
// committed is on the disk at once; what is folded is folded again at every start.
#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "core/check.h"
#include "core/limits.h"
#include "core/planted.h"
#include "sim/memory_append.h"
#include "sim/memory_clock.h"
#include "sim/memory_presences.h"
#include "sim/storage.h"
#include "store/event_run.h"
#include "store/fold_driver.h"
#include "store/store.h"
#include "trust/chain.h"

namespace ebb::sim {
namespace {

// With bytes of its own: a disk does not keep an engine's memory alive.
trust::VerifiedSegment on_disk(const trust::VerifiedSegment& segment) {
  trust::VerifiedSegment kept = segment;
  kept.encoded = share(to_bytes(*segment.encoded));
  kept.raw = share(to_bytes(*segment.raw));
  return kept;
}

class MemoryStore : public Storage {
 public:
  MemoryStore(MemoryDisk& disk, const OpenStorage& how, bool folds)
      : disk_(disk),
        folds_(folds),
        identity_(how.identity),
        random_(how.random),
        quota_(how.quota),
        fold_(store::new_fold()),
        clock_(disk, how.identity.device()),
        presences_(disk.presences, how.identity.device(), how.random) {}

  Status open(const OpenStorage& how);
  Result<store::CommitResult> commit(const store::CommitBatch& batch) override {
    return commit(batch, std::nullopt);
  }
  Result<store::CommitResult> begin_incarnation(codec::OpeningReason reason,
                                                const ClockReading& now) override {
    store::CommitBatch nothing;
    nothing.now = now;
    return commit(nothing, reason);
  }
  void doubt_epoch() override { epoch_doubted_ = true; }
  void hear_peers(std::optional<PeerClock> peers) override { clock_.judge.hear(peers); }
  const ClockJudge& clock_judge() const override { return clock_.judge; }
  std::vector<store::HeadRecord> heads() const override;
  std::size_t log_count() const override { return disk_.logs.size(); }
  StoreEpoch epoch() const override { return disk_.epoch; }
  Incarnation incarnation() const override { return disk_.incarnation; }
  Arrival arrival_head() const override { return disk_.arrival_head; }
  std::vector<store::CursorUpdate> cursors() const override;
  std::vector<store::PeerRow> peers() const override;
  Result<std::vector<store::PresenceRow>> presences() const override;
  Result<store::AuthorityRows> authority() const override { return disk_.authority_rows(); }
  Result<std::vector<SharedBytes>> read_segments(const LogId& log, Seq from, Seq to,
                                                 std::size_t bytes_max) const override;
  Hash state_digest() override {
    EBB_CHECK(folds_);
    return fold_->digest();
  }
  const VersionVector& applied() const override { return fold_->applied(); }
  Status upkeep(const ClockReading&) override { return {}; }
  Status set_full(bool full) override {
    full_ = full;
    return {};
  }

 private:
  // What one commit changes, in the order of first change.
  struct Moved {
    LogId log;
    Position before;
    bool capped_before = false;
    bool own_append = false;
  };
  using Moves = std::vector<Moved>;

  Result<store::CommitResult> commit(const store::CommitBatch& batch,
                                     std::optional<codec::OpeningReason> reason);
  void take_epoch(store::CommitResult& result);
  MemoryLog& edit(Moves& moves, const LogKey& key, const LogId& log);
  void append(const store::CommitBatch& batch, const MemoryClock::Beginning& beginning,
              Moves& moves, store::CommitResult& result);
  Result<store::SegmentOutcome> receive(const trust::VerifiedSegment& segment, Moves& moves);
  std::optional<store::SegmentOutcome> judge(const trust::VerifiedSegment& segment,
                                             const MemoryLog& log) const;
  Result<store::SegmentOutcome> keep(const trust::VerifiedSegment& segment, Moves& moves);
  Status fold(const trust::VerifiedSegment& segment, Seq to);
  void keep_own_ids(const trust::VerifiedSegment& segment, Seq to);

  MemoryDisk& disk_;
  const bool folds_;
  const trust::Identity& identity_;
  std::function<std::uint64_t()> random_;
  store::QuotaLimit quota_;
  std::unique_ptr<state::Fold> fold_;
  MemoryClock clock_;
  bool full_ = false;
  bool epoch_doubted_ = false;
  MemoryPresences presences_;
  bool loaded_ = false;   // what is folded is new
  ClockVerdict verdict_;  // of the commit in hand
};

Status MemoryStore::open(const OpenStorage& how) {
  const bool is_new = !std::exchange(disk_.made, true);
  disk_.mesh = how.mesh;
  if (is_new) disk_.epoch = planted(Bug::kForgetEpoch) ? 1 : random_();
  if (std::exchange(disk_.scope, how.scope) != how.scope && !planted(Bug::kForgetScope)) {
    disk_.epoch = random_();
    disk_.cursors.clear();
  }
  random_();  // a boot nonce; there is no other process here
  clock_.open(how.built, how.now);
  for (const MemoryLog& log : disk_.logs) {
    for (const auto& [first, segment] : log.segments) {
      EBB_RETURN_IF_ERROR(fold(segment, std::min(segment.last_seq(), log.head.held.seq)));
    }
  }
  loaded_ = true;
  if (!is_new) return {};
  const auto begun = begin_incarnation(codec::OpeningReason::kNew, how.now);
  return begun.ok() ? Status{} : begun.error();
}

std::vector<store::HeadRecord> MemoryStore::heads() const {
  std::vector<store::HeadRecord> out;
  out.reserve(disk_.logs.size());
  for (const MemoryLog& log : disk_.logs)
    out.push_back(log.head);
  return out;
}

std::vector<store::CursorUpdate> MemoryStore::cursors() const {
  std::vector<store::CursorUpdate> out;
  for (const auto& [peer, cursor] : disk_.cursors)
    out.push_back(cursor);
  return out;
}

std::vector<store::PeerRow> MemoryStore::peers() const {
  std::vector<store::PeerRow> out;
  for (const auto& [device, peer] : disk_.peers)
    out.push_back(peer);
  return out;
}

Result<std::vector<store::PresenceRow>> MemoryStore::presences() const {
  std::vector<store::PresenceRow> out;
  for (const auto& [device, row] : disk_.presences)
    out.push_back(row);
  return out;
}

MemoryLog& MemoryStore::edit(Moves& moves, const LogKey& key, const LogId& id) {
  MemoryLog* log = disk_.find(id);
  if (log == nullptr) log = &disk_.create(key, id, trust::chain_start(key));
  const bool known =
      std::any_of(moves.begin(), moves.end(), [&](const Moved& moved) { return moved.log == id; });
  if (!known) moves.push_back({id, log->head.held, log->head.capped, false});
  return *log;
}

Result<store::CommitResult> MemoryStore::commit(const store::CommitBatch& batch,
                                                std::optional<codec::OpeningReason> reason) {
  const MemoryClock::Beginning beginning = clock_.begin(batch.now, reason);
  const bool grows = !batch.appends.empty() || !batch.segments.empty() || beginning.records;
  if (full_ && grows) {
    for (const trust::VerifiedSegment& segment : batch.segments) {
      if (planted(Bug::kFoldBeforeCommit)) EBB_RETURN_IF_ERROR(fold(segment, segment.last_seq()));
    }
    return Error{ErrorCode::kDiskFull, "store in memory"};
  }
  store::CommitResult result;
  Moves moves;
  verdict_ = beginning.verdict;
  append(batch, beginning, moves, result);
  for (const trust::VerifiedSegment& segment : batch.segments) {
    EBB_ASSIGN(const store::SegmentOutcome outcome, receive(segment, moves));
    result.segments.push_back(outcome);
    if (outcome == store::SegmentOutcome::kStored) {
      clock_.hlc.observe(segment.head.hlc, beginning.verdict.time);
    }
  }
  for (const Moved& moved : moves) {
    store::HeadRecord& head = disk_.find(moved.log)->head;
    if (head.held == moved.before && head.capped == moved.capped_before) continue;
    const bool again = planted(Bug::kOneArrivalACommit) && !result.advances.empty();
    head.arrival = again ? disk_.arrival_head : ++disk_.arrival_head;
    const Position before = planted(Bug::kTellFromStart) ? Position{} : moved.before;
    result.advances.push_back({head, before, moved.own_append});
  }
  for (const store::CursorUpdate& cursor : batch.cursors) {
    disk_.cursors.insert_or_assign(cursor.peer, cursor);
    if (cursor.arrival == 0) disk_.cursors.erase(cursor.peer);
  }
  disk_.keep_side(batch);
  for (const store::PeerRow& peer : batch.peers)
    disk_.peers.insert_or_assign(peer.device, peer);
  result.presences = presences_.take_news();
  result.arrival_head = disk_.arrival_head;
  result.clock = beginning.verdict;
  clock_.follow(batch.now, beginning, !result.advances.empty(), result.own_segments);
  return result;
}

void MemoryStore::take_epoch(store::CommitResult& result) {
  disk_.epoch = random_();
  epoch_doubted_ = false;
  result.epoch = disk_.epoch;
}

void MemoryStore::append(const store::CommitBatch& batch, const MemoryClock::Beginning& beginning,
                         Moves& moves, store::CommitResult& result) {
  if (beginning.records) disk_.incarnation = random_();
  if (epoch_doubted_ || (beginning.records && beginning.older)) take_epoch(result);
  if (beginning.records) result.begun = store::Begun{disk_.incarnation, disk_.epoch};
  MemoryAppend stage(disk_, *fold_, identity_, beginning.hlc, beginning.verdict);
  if (beginning.records) {
    const auto recorded = stage.add(*beginning.records);
    EBB_CHECK(recorded.ok());
  }
  for (const store::AppendBatch& one : batch.appends)
    result.appends.push_back(stage.add(one));
  result.own_segments = stage.seal();
  clock_.hlc = stage.clock();
  for (const trust::VerifiedSegment& segment : result.own_segments) {
    MemoryLog& log = edit(moves, segment.key, segment.log);
    log.segments.emplace(segment.first_seq, on_disk(segment));
    log.head.held = {segment.last_seq(), segment.chain};
    log.head.hlc = segment.head.hlc;
    log.head.signature = segment.head.signature;
    const Status folded = fold(segment, segment.last_seq());
    EBB_CHECK(folded.ok());
    for (Moved& moved : moves) {
      if (moved.log == segment.log) moved.own_append = true;
    }
  }
}

Result<store::SegmentOutcome> MemoryStore::receive(const trust::VerifiedSegment& segment,
                                                   Moves& moves) {
  using enum store::SegmentOutcome;
  if (segment.first_seq == 0 || segment.count == 0 || segment.last_seq() > limits::kSeqMax) {
    return kRefused;
  }
  const MemoryLog* log = disk_.find(segment.log);
  if (log == nullptr) {
    if (disk_.logs.size() >= limits::kKnownLogs - limits::kOwnLogsKept) return kTooManyLogs;
    if (disk_.logs.size() >= limits::kLogsPerDevice &&
        disk_.count_of(segment.key.device) >= limits::kLogsPerDevice) {
      return kTooManyLogs;
    }
    if (segment.first_seq != 1) return kGap;
    if (segment.prev_chain != trust::chain_start(segment.key)) return kFork;
    return keep(segment, moves);
  }
  if (const auto outcome = judge(segment, *log)) return *outcome;
  const Seq next = log->head.held.seq + 1;
  if (segment.first_seq == next) return keep(segment, moves);
  EBB_ASSIGN(const trust::VerifiedSegment rest, trust::cut_segment(segment, next));
  return keep(rest, moves);
}

// nullopt: it begins at or below held + 1, ends above, and the chains agree.
std::optional<store::SegmentOutcome> MemoryStore::judge(const trust::VerifiedSegment& segment,
                                                        const MemoryLog& log) const {
  using enum store::SegmentOutcome;
  const Position& held = log.head.held;
  if (segment.last_seq() < held.seq) {
    const auto next = log.segments.find(segment.last_seq() + 1);
    const bool differs = next != log.segments.end() && next->second.prev_chain != segment.chain;
    return differs ? kFork : kDuplicate;
  }
  if (segment.last_seq() == held.seq) return segment.chain == held.chain ? kDuplicate : kFork;
  if (log.head.capped) return kRefused;
  if (segment.first_seq > held.seq + 1) return kGap;
  if (store::chain_inside(segment, held.seq) != held.chain) return kFork;
  return std::nullopt;
}

Result<store::SegmentOutcome> MemoryStore::keep(const trust::VerifiedSegment& segment,
                                                Moves& moves) {
  Seq invalid_from = segment.invalid_from;
  const MemoryLog* known = disk_.find(segment.log);
  const bool follows = known != nullptr && known->head.held.seq != 0;
  if (follows && segment.first_hlc <= known->head.hlc) invalid_from = segment.first_seq;
  if (invalid_from == segment.first_seq) {
    edit(moves, segment.key, segment.log).head.capped = true;
    return store::SegmentOutcome::kRefused;
  }
  const Seq to = invalid_from == 0 ? segment.last_seq() : invalid_from - 1;
  EBB_ASSIGN(const store::DecodedRun decoded, store::decode_run(segment, to));
  const bool own = segment.key.device == identity_.device();
  if (!own && !disk_.has_quota(segment.key, decoded.days, quota_, verdict_)) {
    return store::SegmentOutcome::kOverQuota;
  }
  MemoryLog& log = edit(moves, segment.key, segment.log);
  store::HeadRecord& head = log.head;
  if (invalid_from != 0) head.capped = true;
  log.segments.emplace(segment.first_seq, on_disk(segment));
  head.held = {to, store::chain_inside(segment, to)};
  head.hlc = decoded.last_hlc;
  head.signature = invalid_from == 0 ? segment.head.signature : Signature{};
  if (own) keep_own_ids(segment, to);
  EBB_RETURN_IF_ERROR(fold(segment, to));
  return store::SegmentOutcome::kStored;
}

// Events of ours that come back from others bring their client ids with them.
void MemoryStore::keep_own_ids(const trust::VerifiedSegment& segment, Seq to) {
  const auto decoded = store::decode_run(segment, to);
  if (!decoded) return;
  Seq seq = segment.first_seq;
  for (const codec::EventView& event : decoded->run.events) {
    if (event.id) disk_.client_ids.emplace(*event.id, Dot{segment.log, seq});
    ++seq;
  }
}

Status MemoryStore::fold(const trust::VerifiedSegment& segment, Seq to) {
  if (!folds_ && segment.key.topic != kControlTopic) return {};
  Hash chain = segment.prev_chain;
  for (Seq seq = segment.first_seq; seq <= to; ++seq) {
    const auto index = static_cast<std::uint32_t>(seq - segment.first_seq);
    const ByteView bytes = segment.event_bytes(index);
    const Result<codec::EventView> event = codec::decode_event(bytes);
    // One of a newer format stops the fold of its log.
    if (!event && event.error().code == ErrorCode::kUnsupported) return {};
    if (!event) return event.error();
    chain = trust::chain_next(chain, trust::event_hash(bytes));
    if (folds_) fold_->apply(segment.log, segment.key.topic, seq, chain, *event);
    if (loaded_ && segment.key.topic == kControlTopic) presences_.keep(segment.key.device, *event);
  }
  return {};
}

Result<std::vector<SharedBytes>> MemoryStore::read_segments(const LogId& id, Seq from, Seq to,
                                                            std::size_t bytes_max) const {
  const MemoryLog* log = disk_.find(id);
  if (log == nullptr) return Error{ErrorCode::kNotFound, "log"};
  std::vector<SharedBytes> out;
  from = std::max<Seq>(from, 1);
  to = to == 0 ? log->head.held.seq : std::min(to, log->head.held.seq);
  auto at = log->segments.upper_bound(from);
  if (at != log->segments.begin()) --at;
  std::size_t bytes = 0;
  for (; at != log->segments.end() && at->first <= to; ++at) {
    if (!out.empty() && bytes >= bytes_max) break;
    if (at->second.last_seq() < from) continue;
    SharedBytes encoded = at->second.encoded;
    if (at->first < from) {
      const Seq begin =
          from + (planted(Bug::kCutOneTooMany) && from < at->second.last_seq() ? 1 : 0);
      EBB_ASSIGN(const trust::VerifiedSegment cut, trust::cut_segment(at->second, begin));
      encoded = cut.encoded;
    }
    bytes += encoded->size();
    out.push_back(std::move(encoded));
  }
  return out;
}

class MemoryMedium : public StorageMedium {
 public:
  explicit MemoryMedium(bool folds) : folds_(folds) {}
  Result<std::unique_ptr<Storage>> open(const OpenStorage& how) override {
    auto opened = std::make_unique<MemoryStore>(disk_, how, folds_);
    EBB_RETURN_IF_ERROR(opened->open(how));
    return std::unique_ptr<Storage>(std::move(opened));
  }
  void kill(std::unique_ptr<Storage> storage) override { storage.reset(); }
  void back_up(int copy) override { copies_[copy] = disk_; }
  void restore(int copy) override { disk_ = copies_[copy]; }
  void erase() override { disk_ = {}; }

 private:
  const bool folds_;
  MemoryDisk disk_;
  std::map<int, MemoryDisk> copies_;
};

}  // namespace

std::unique_ptr<StorageMedium> make_memory_medium(bool folds) {
  return std::make_unique<MemoryMedium>(folds);
}

}  // namespace ebb::sim
