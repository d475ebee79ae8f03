#include <algorithm>
#include <map>
#include <utility>

#include "codec/segment.h"
#include "core/limits.h"
#include "store/event_run.h"
#include "store/fold_driver.h"
#include "store/reader.h"
#include "store/reader_parts.h"
#include "trust/chain.h"

namespace ebb::store {
namespace {

using Progress = std::function<void(std::uint64_t, std::uint64_t)>;

// What is stored besides segments, as of one moment.
struct Stored {
  LogTable logs;
  std::map<LogId, Position> mark;
  std::map<Bytes, Bytes, BytesLess> entries;
  std::optional<Hash> digest;
  std::string load_problem;
};

Status read_mark_and_entries(const Connection& db, Stored& stored) {
  EBB_ASSIGN(Statement marks, db.prepare("SELECT log,seq,chain FROM mark"));
  for (;;) {
    EBB_ASSIGN(const bool more, marks.step());
    if (!more) break;
    EBB_ASSIGN(const LogId log, column_fixed<LogId>(marks, 0));
    EBB_ASSIGN(const Hash chain, column_fixed<Hash>(marks, 2));
    stored.mark[log] = {marks.column_u64(1), chain};
  }
  EBB_ASSIGN(Statement entries, db.prepare("SELECT key,value FROM state"));
  for (;;) {
    EBB_ASSIGN(const bool more, entries.step());
    if (!more) return {};
    stored.entries[to_bytes(entries.column_blob(0))] = to_bytes(entries.column_blob(1));
  }
}

Status read_stored(const Connection& db, bool with_state, Stored& stored) {
  EBB_RETURN_IF_ERROR(stored.logs.open(db, false));
  if (!with_state) return {};
  EBB_RETURN_IF_ERROR(read_mark_and_entries(db, stored));
  const auto fold = new_fold();
  const Status loaded = load_state(db, *fold);
  if (loaded.ok()) {
    stored.digest = fold->digest();
  } else {
    stored.load_problem = loaded.error().message();
  }
  return {};
}

// Walks one log after the other and keeps what it finds.
class Verification {
 public:
  Verification(const SegmentTable& segments, const Stored& stored, bool with_state,
               const Progress& progress)
      : segments_(segments), stored_(stored), progress_(progress) {
    if (with_state) fold_ = new_fold();
    for (const LogRow& row : stored.logs.rows())
      events_in_all_ += row.head.held.seq - std::min(row.head.floor.seq, row.head.held.seq);
  }

  Status log(const LogRow& row);
  void state();
  VerifyReport take_report() { return std::move(report_); }

 private:
  // Where the walk stands in the log in hand.
  struct Walk {
    Seq next_seq = 1;
    std::optional<Hash> chain;  // unknown behind a segment that does not verify
    Hlc hlc;
    Signature signature;
  };
  void segment(const LogRow& row, const StoredSegment& stored, Walk& walk);
  void content(const LogRow& row, const StoredSegment& stored,
               const trust::VerifiedSegment& verified, Walk& walk);
  void fold(const LogRow& row, const trust::VerifiedSegment& verified, const EventRun& run);
  void end_of_log(const LogRow& row, const Walk& walk);
  void problem(std::string sentence);
  static std::string name(const LogRow& row) { return "log " + log_text(row.head.log); }

  const SegmentTable& segments_;
  const Stored& stored_;
  const Progress& progress_;
  std::unique_ptr<state::Fold> fold_;
  std::uint64_t events_in_all_ = 0;
  VerifyReport report_;
};

void Verification::problem(std::string sentence) {
  if (report_.problems.size() < limits::kVerifyProblems)
    report_.problems.push_back(std::move(sentence));
}

Status Verification::log(const LogRow& row) {
  ++report_.logs;
  const HeadRecord& head = row.head;
  if (trust::log_id(head.key) != head.log) problem(name(row) + ": id is not that of its key");
  Walk walk;
  walk.next_seq = head.floor.seq + 1;
  walk.chain = head.floor.seq == 0 ? trust::chain_start(head.key) : head.floor.chain;
  // One more than is held: a segment behind the head is a problem as well.
  Statement& rows = segments_.range(row.n, walk.next_seq, head.held.seq + 1);
  const ScopedReset reset(rows);
  for (;;) {
    auto more = rows.step();
    if (!more.ok()) {
      if (more.error().code != ErrorCode::kCorrupt) return more.error();
      problem(name(row) + ": " + more.error().message());
      return {};
    }
    if (!*more) break;
    auto stored = read_segment_row(rows);
    if (!stored.ok()) {
      problem(name(row) + ": " + stored.error().message());
      return {};
    }
    stored->view.log = head.log;
    segment(row, *stored, walk);
    ++report_.segments;
    report_.events += stored->view.count;
    if (row.head.key.topic == kControlTopic) report_.records += stored->view.count;
    if (progress_) progress_(std::min(report_.events, events_in_all_), events_in_all_);
  }
  end_of_log(row, walk);
  return {};
}

void Verification::segment(const LogRow& row, const StoredSegment& stored, Walk& walk) {
  const codec::SegmentView& view = stored.view;
  const std::string where = name(row) + ": segment from " + std::to_string(view.first_seq);
  if (view.first_seq != walk.next_seq) {
    problem(where + ": begins elsewhere than the one before it ends");
    walk.chain.reset();
  }
  walk.next_seq = view.last_seq() + 1;
  const auto verified = trust::verify_segment(row.head.key, share(codec::encode_segment(view)));
  if (!verified.ok()) {
    problem(where + ": " + verified.error().message());
    walk.chain.reset();
    return;
  }
  if (walk.chain && *walk.chain != verified->prev_chain) {
    problem(where + ": its chain does not continue the one before it");
  }
  content(row, stored, *verified, walk);
  walk.chain = verified->chain;
}

void Verification::content(const LogRow& row, const StoredSegment& stored,
                           const trust::VerifiedSegment& verified, Walk& walk) {
  const std::string where = name(row) + ": segment from " + std::to_string(verified.first_seq);
  Seq to = verified.last_seq();
  const bool first = verified.first_seq == 1;
  const bool increases = first || verified.first_hlc > walk.hlc;
  if (verified.invalid_from != 0 || !increases) {
    const Seq invalid = increases ? verified.invalid_from : verified.first_seq;
    if (!row.head.capped || row.head.held.seq != invalid - 1) {
      problem(where + ": an invalid event that does not cap its log");
    }
    to = invalid - 1;
    if (to < verified.first_seq) return;
  }
  auto decoded = decode_run(verified, to);
  if (!decoded.ok()) {
    problem(where + ": " + decoded.error().message());
    return;
  }
  if (decoded->zone != stored.zone || stored.raw_bytes != verified.raw->size()) {
    problem(where + ": its summary is not that of its events");
  }
  walk.hlc = decoded->last_hlc;
  walk.signature = verified.head.signature;
  if (row.head.held.seq >= verified.first_seq && row.head.held.seq <= verified.last_seq() &&
      chain_inside(verified, row.head.held.seq) != row.head.held.chain) {
    problem(name(row) + ": its head has another chain than its events");
  }
  fold(row, verified, decoded->run);
}

void Verification::fold(const LogRow& row, const trust::VerifiedSegment& verified,
                        const EventRun& run) {
  if (fold_ == nullptr) return;
  const auto mark = stored_.mark.find(row.head.log);
  const Seq to = mark == stored_.mark.end() ? 0 : mark->second.seq;
  if (to >= run.first_seq && to <= verified.last_seq() &&
      chain_inside(verified, to) != mark->second.chain) {
    problem(name(row) + ": the mark of the state has another chain than its events");
  }
  Seq seq = run.first_seq;
  for (const codec::EventView& event : run.events) {
    if (seq > to) return;
    const Hash chain = seq == to || seq == run.end_seq() ? chain_inside(verified, seq) : Hash{};
    fold_->apply(row.head.log, row.head.key.topic, seq, chain, event);
    ++seq;
  }
}

void Verification::end_of_log(const LogRow& row, const Walk& walk) {
  const HeadRecord& head = row.head;
  const Seq stored_to = walk.next_seq - 1;
  if (stored_to < head.held.seq || (stored_to > head.held.seq && !head.capped)) {
    problem(name(row) + ": its head is at " + std::to_string(head.held.seq) +
            ", its segments end at " + std::to_string(stored_to));
  }
  if (head.held.seq == 0 || !walk.chain) return;
  if (walk.hlc != head.hlc) problem(name(row) + ": its head has another hlc than its events");
  if (!head.capped && walk.signature != head.signature) {
    problem(name(row) + ": its head has another signature than its last segment");
  }
}

void Verification::state() {
  if (fold_ == nullptr) return;
  if (!stored_.load_problem.empty()) problem("stored state: " + stored_.load_problem);
  report_.stored_digest = stored_.digest;
  report_.state_digest = fold_->digest();
  for (const auto& [log, position] : stored_.mark) {
    if (fold_->applied().at(log) != position) {
      problem("stored state: its mark of log " + log_text(log) + " is not reached by the events");
    }
  }
  std::map<Bytes, Bytes, BytesLess> recomputed;
  for (state::Entry& entry : fold_->take_dirty()) {
    if (entry.value) recomputed[std::move(entry.key)] = std::move(*entry.value);
  }
  for (const auto& [key, value] : recomputed) {
    const auto stored = stored_.entries.find(key);
    if (stored == stored_.entries.end()) {
      problem("stored state: entry " + to_hex(key) + " is missing");
    } else if (stored->second != value) {
      problem("stored state: entry " + to_hex(key) + " has another value than the events");
    }
  }
  for (const auto& [key, value] : stored_.entries) {
    if (!recomputed.contains(key)) {
      problem("stored state: entry " + to_hex(key) + " is of no event");
    }
  }
  if (stored_.digest && *stored_.digest != *report_.state_digest) {
    problem("stored state: its digest is not that of the events");
  }
}

}  // namespace

Result<VerifyReport> verify_store(const std::string& dir, bool with_state,
                                  const Progress& progress) {
  ReaderParts parts;
  EBB_RETURN_IF_ERROR(parts.open(dir));
  // Heads, state and segments are of one moment: a live store moves on under the walk. The
  // connection ends with this function, and the transaction with it.
  EBB_RETURN_IF_ERROR(parts.db->run("BEGIN"));
  Stored stored;
  EBB_RETURN_IF_ERROR(read_stored(*parts.db, with_state, stored));
  Verification verification(parts.segments, stored, with_state, progress);
  for (const LogRow& row : stored.logs.rows()) {
    EBB_RETURN_IF_ERROR(verification.log(row));
  }
  verification.state();
  return verification.take_report();
}

}  // namespace ebb::store
