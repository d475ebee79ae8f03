#include "store/incarnation.h"

#include <algorithm>
#include <utility>

#include "codec/body_reader.h"
#include "core/limits.h"

namespace ebb::store {
namespace {

bool is_own(const LogRow& row, const OwnLogs& own) {
  return row.head.key.device == own.device && row.head.key.incarnation == own.incarnation &&
         row.head.held.seq > 0;
}

// The first event of the segment that is stamped later than `bound`, as its last one is.
Result<Seq> first_later_in(const StoredSegment& stored, Hlc bound) {
  EBB_ASSIGN(const Bytes raw, codec::decode_body(stored.view.codec, stored.view.body));
  codec::BodyReader reader(raw);
  for (Seq seq = stored.view.first_seq; !reader.at_end(); ++seq) {
    EBB_ASSIGN(const codec::BodyReader::Next next, reader.next());
    if (next.fault) break;  // none of ours is invalid
    if (next.event.hlc > bound) return seq;
  }
  return Error{ErrorCode::kCorrupt, "segment of our own"};
}

// Stamps of a log only increase, so everything behind the first later one is later too. Of a
// damaged segment its first event counts, and one whose row says nothing is passed over.
std::optional<Seq> first_later(const LogRow& row, const SegmentTable& segments, Hlc bound,
                               std::vector<Error>& damage) {
  if (row.head.hlc <= bound) return std::nullopt;
  Statement& rows = segments.range(row.n, 1, row.head.held.seq);
  const ScopedReset reset(rows);
  for (;;) {
    const Result<bool> more = rows.step();
    if (!more.ok() || !*more) {
      damage.push_back(more.ok() ? Error{ErrorCode::kCorrupt, "log ends before its head"}
                                 : more.error());
      return std::nullopt;
    }
    const Result<StoredSegment> stored = read_segment_row(rows);
    if (!stored.ok()) {
      damage.push_back(stored.error());
      continue;
    }
    if (stored->view.head.hlc <= bound) continue;
    const Result<Seq> first = first_later_in(*stored, bound);
    if (first.ok()) return *first;
    damage.push_back(first.error());
    return stored->view.first_seq;
  }
}

void add_record(AppendBatch& batch, std::string_view type, Bytes payload) {
  AppendEvent event;
  event.type = type;
  event.payload = std::move(payload);
  batch.items.emplace_back(std::move(event));
}

}  // namespace

void Line::stamped(const LogId& log, Seq first, Seq last) {
  const auto [place, fresh] = ranges_.try_emplace(log, Range{first, last});
  if (!fresh) place->second.last = std::max(place->second.last, last);
}

std::vector<codec::ClockFix> Line::corrected_again(std::int64_t offset_ms) const {
  std::vector<codec::ClockFix> again = corrected_;
  for (codec::ClockFix& fix : again)
    fix.offset_ms += offset_ms;
  return again;
}

codec::Opening opening_record(const OwnLogs& own, codec::OpeningReason reason) {
  codec::Opening opening;
  opening.reason = reason;
  if (reason != codec::OpeningReason::kNew) opening.before = own.incarnation;
  if (!opening.before) return opening;
  for (const LogRow& row : own.logs.rows()) {
    if (is_own(row, own)) opening.closes.push_back({row.head.key.topic, row.head.held});
  }
  std::sort(opening.closes.begin(), opening.closes.end(),
            [](const auto& a, const auto& b) { return a.topic < b.topic; });
  return opening;
}

FixRecords clock_fix_records(const OwnLogs& own, const SegmentTable& segments, const Line& line,
                             WallTime right, std::int64_t offset_ms) {
  FixRecords out;
  std::map<LogId, Line::Range> wrong = line.ranges();
  // A right clock may be this far ahead of ours, and may have been pulled by others besides.
  const Hlc bound = Hlc::at({right.ms + limits::kClockPeersMs + limits::kRemoteAheadMs}, 0xffff);
  for (const LogRow& row : own.logs.rows()) {
    if (offset_ms >= 0 || !is_own(row, own)) continue;
    const std::optional<Seq> first = first_later(row, segments, bound, out.damage);
    if (!first) continue;
    Line::Range& range = wrong.try_emplace(row.head.log, Line::Range{*first, 0}).first->second;
    range = {std::min(range.first, *first), row.head.held.seq};
  }
  std::vector<codec::ClockFix>& fixes = out.fixes;
  for (const auto& [log, range] : wrong) {
    if (fixes.empty() || fixes.back().ranges.size() == limits::kRecordLogs) {
      fixes.emplace_back().offset_ms = offset_ms;
    }
    fixes.back().ranges.push_back({log, range.first, range.last});
  }
  if (fixes.empty()) return out;
  for (codec::ClockFix& fix : line.corrected_again(offset_ms))
    fixes.push_back(std::move(fix));
  return out;
}

AppendBatch record_batch(const std::optional<codec::Opening>& opening,
                         const std::vector<codec::ClockFix>& fixes) {
  AppendBatch batch;
  batch.topic = kControlTopic;
  if (opening) add_record(batch, codec::kOpeningType, codec::encode_opening(*opening));
  for (const codec::ClockFix& fix : fixes) {
    add_record(batch, codec::kClockFixType, codec::encode_clock_fix(fix));
  }
  return batch;
}

}  // namespace ebb::store
