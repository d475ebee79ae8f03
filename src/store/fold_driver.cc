#include "store/fold_driver.h"

#include <utility>

#include "codec/segment.h"
#include "core/limits.h"
#include "core/planted.h"
#include "store/damage.h"
#include "store/meta.h"
#include "trust/hash.h"

namespace ebb::store {
namespace {

Hash hash_of(ByteView bytes) { return trust::hash(bytes); }

}  // namespace

std::unique_ptr<state::Fold> new_fold() {
  return std::make_unique<state::Fold>(&hash_of, state::Arguments{});
}

Status load_state(const Connection& connection, state::Fold& fold) {
  EBB_ASSIGN(Statement entries, connection.prepare("SELECT key,value FROM state"));
  for (;;) {
    EBB_ASSIGN(const bool more, entries.step());
    if (!more) break;
    EBB_RETURN_IF_ERROR(fold.load_entry(entries.column_blob(0), entries.column_blob(1)));
  }
  EBB_ASSIGN(Statement marks, connection.prepare("SELECT log,seq,chain FROM mark"));
  for (;;) {
    EBB_ASSIGN(const bool more, marks.step());
    if (!more) break;
    EBB_ASSIGN(const LogId log, column_fixed<LogId>(marks, 0));
    EBB_ASSIGN(const Hash chain, column_fixed<Hash>(marks, 2));
    EBB_RETURN_IF_ERROR(fold.load_mark(log, {marks.column_u64(1), chain}));
  }
  return fold.check_loaded();
}

Status FoldDriver::open(const Connection& connection, const LogTable& logs,
                        const SegmentTable& segments, Instant now) {
  flushed_ = now;
  EBB_ASSIGN(put_, connection.prepare("INSERT INTO state(key,value) VALUES(?1,?2) "
                                      "ON CONFLICT(key) DO UPDATE SET value=excluded.value"));
  EBB_ASSIGN(erase_, connection.prepare("DELETE FROM state WHERE key=?1"));
  EBB_ASSIGN(mark_, connection.prepare("INSERT OR REPLACE INTO mark(log,seq,chain) "
                                       "VALUES(?1,?2,?3)"));
  EBB_ASSIGN(clear_state_, connection.prepare("DELETE FROM state"));
  EBB_ASSIGN(clear_mark_, connection.prepare("DELETE FROM mark"));
  EBB_RETURN_IF_ERROR(load(connection));
  for (const auto& [log, position] : fold_->applied().positions()) {
    const LogRow* row = logs.find(log);
    const Position head = row == nullptr ? Position{} : row->head.effective();
    const bool past =
        position.seq > head.seq || (position.seq == head.seq && position.chain != head.chain);
    if (!past) continue;
    fold_ = new_fold();
    rebuild_ = true;
    break;
  }
  for (const LogRow& log : logs.rows()) {
    Status folded = fold_past_mark(log, segments);
    if (folded.ok()) continue;
    if (folded.error().code != ErrorCode::kCorrupt) return folded;
    // It stays where it is; what is wrong with one log is no reason to store nothing of the others.
    if (damage_.size() < limits::kVerifyProblems) damage_.push_back(folded.error());
  }
  return {};
}

Status FoldDriver::load(const Connection& connection) {
  fold_ = new_fold();
  EBB_ASSIGN(const auto version, get_meta_u64(connection, "fold_version"));
  const bool same_version = !version || *version == state::kFoldVersion;
  if (same_version) {
    Status loaded = load_state(connection, *fold_);
    if (loaded.ok()) return {};
    if (loaded.error().code != ErrorCode::kCorrupt) return loaded;
  }
  // Of another version, or damaged: the logs say it all again.
  fold_ = new_fold();
  rebuild_ = true;
  return {};
}

Status FoldDriver::fold_past_mark(const LogRow& log, const SegmentTable& segments) {
  const Position head = log.head.effective();
  Seq next = fold_->applied().at(log.head.log).seq + 1;
  if (next > head.seq) return {};
  // The chain at the end of a segment stands in the next one, so a run waits for its successor.
  std::optional<StoredBody> waiting;
  const auto fold_waiting = [&](Seq to, const Hash& end_chain) -> Status {
    EBB_ASSIGN(const EventRun run, decode_stored_run(*waiting, next, to, end_chain));
    apply(run, log.head.key.topic);
    next = to + 1;
    return {};
  };
  Statement& rows = segments.range(log.n, next, head.seq);
  const ScopedReset reset(rows);
  for (;;) {
    EBB_ASSIGN(const bool more, rows.step());
    if (!more) break;
    EBB_ASSIGN(const StoredSegment stored, read_segment_row(rows));
    if (stored.view.last_seq() < next) continue;
    if (waiting) {
      EBB_RETURN_IF_ERROR(fold_waiting(stored.view.first_seq - 1, stored.view.prev_chain));
    }
    if (stored.view.first_seq > next) {
      return Error{ErrorCode::kCorrupt, "log has a hole", log_text(log.head.log)};
    }
    EBB_ASSIGN(Bytes raw, or_damage(codec::decode_body(stored.view.codec, stored.view.body),
                                    log.head.log, stored.view.first_seq));
    waiting = StoredBody{log.head.log, stored.view.first_seq, stored.view.prev_chain,
                         share(std::move(raw))};
  }
  if (waiting) EBB_RETURN_IF_ERROR(fold_waiting(head.seq, head.chain));
  if (next != head.seq + 1) {
    return Error{ErrorCode::kCorrupt, "log ends before its head", log_text(log.head.log)};
  }
  return {};
}

void FoldDriver::apply(const EventRun& run, std::string_view topic) {
  Seq seq = run.first_seq;
  bool moved = false;
  for (const codec::EventView& event : run.events) {
    // Only the position that stays needs its chain: nobody looks at the fold between two events of
    // a run, and hashing every event a second time would cost more than folding it.
    const Hash chain = seq == run.end_seq() ? run.end_chain : Hash{};
    const state::ApplyResult result = fold_->apply(run.log, topic, seq, chain, event);
    if (result == state::ApplyResult::kGap) break;
    if (result == state::ApplyResult::kApplied) moved = true;
    ++seq;
  }
  if (moved) touched_.insert(run.log);
}

bool FoldDriver::dirty() const {
  return rebuild_ || fold_->dirty() || !touched_.empty() || !entries_.empty() || !marks_.empty();
}

bool FoldDriver::due(Instant now) const {
  if (!dirty()) return false;
  if (fold_->applied_since_flush() >= limits::kEventsBetweenMarks || !marks_.empty()) return true;
  return (now - flushed_).ms() >= limits::kMsBetweenMarks;
}

void FoldDriver::collect() {
  std::vector<state::Entry> changed = fold_->take_dirty();
  if (entries_.empty()) {
    entries_ = std::move(changed);
  } else {
    for (state::Entry& entry : changed)
      entries_.push_back(std::move(entry));
  }
  for (const LogId& log : touched_) {
    marks_[log] = fold_->applied().at(log);
  }
  touched_.clear();
}

Status FoldDriver::write() {
  if (rebuild_) {
    EBB_RETURN_IF_ERROR(clear_state_.run());
    EBB_RETURN_IF_ERROR(clear_mark_.run());
  }
  for (const state::Entry& entry : entries_) {
    Statement& statement = entry.value ? put_ : erase_;
    statement.bind(1, ByteView(entry.key));
    if (entry.value) statement.bind(2, ByteView(*entry.value));
    if (planted(Bug::kKeepErasedState) && !entry.value) continue;
    EBB_RETURN_IF_ERROR(statement.run());
  }
  for (const auto& [log, position] : marks_) {
    mark_.bind(1, log.view());
    mark_.bind(2, position.seq);
    mark_.bind(3, position.chain.view());
    EBB_RETURN_IF_ERROR(mark_.run());
  }
  return {};
}

void FoldDriver::written(Instant now) {
  entries_.clear();
  marks_.clear();
  rebuild_ = false;
  flushed_ = now;
}

}  // namespace ebb::store
