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

// The first event of the segment that is stamped later than `bound`.
Result<std::optional<Seq>> first_later_in(const StoredSegment& stored, Hlc bound) {
  EBB_ASSIGN(const Bytes raw, codec::decode_body(stored.view.codec, stored.view.body));
  codec::BodyReader reader(raw);
  for (Seq seq = stored.view.first_seq; !reader.at_end(); ++seq) {
    EBB_ASSIGN(const codec::BodyReader::Next next, reader.next());
    if (!next.fault && next.event.hlc > bound) return std::optional(seq);
  }
  return std::optional<Seq>();
}

// Stamps of a log only increase, so everything behind the first later one is later too.
Result<std::optional<Seq>> first_later(const LogRow& row, const SegmentTable& segments, Hlc bound) {
  if (row.head.hlc <= bound) return std::optional<Seq>();
  Statement& rows = segments.range(row.n, 1, row.head.held.seq);
  const ScopedReset reset(rows);
  for (;;) {
    EBB_ASSIGN(const bool more, rows.step());
    if (!more) return Error{ErrorCode::kCorrupt, "log ends before its head"};
    EBB_ASSIGN(const StoredSegment stored, read_segment_row(rows));
    if (stored.view.head.hlc <= bound) continue;
    return first_later_in(stored, bound);
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

Result<std::vector<codec::ClockFix>> clock_fix_records(const OwnLogs& own,
                                                       const SegmentTable& segments,
                                                       const Line& line, WallTime right,
                                                       std::int64_t offset_ms) {
  std::map<LogId, Line::Range> wrong = line.ranges();
  // A right clock may be this far ahead of ours, and may have been pulled by others besides.
  const Hlc bound = Hlc::at({right.ms + limits::kClockPeersMs + limits::kRemoteAheadMs}, 0xffff);
  for (const LogRow& row : own.logs.rows()) {
    if (offset_ms >= 0 || !is_own(row, own)) continue;
    EBB_ASSIGN(const std::optional<Seq> first, first_later(row, segments, bound));
    if (!first) continue;
    Line::Range& range = wrong.try_emplace(row.head.log, Line::Range{*first, 0}).first->second;
    range = {std::min(range.first, *first), row.head.held.seq};
  }
  std::vector<codec::ClockFix> fixes;
  for (const auto& [log, range] : wrong) {
    if (fixes.empty() || fixes.back().ranges.size() == limits::kRecordLogs) {
      fixes.emplace_back().offset_ms = offset_ms;
    }
    fixes.back().ranges.push_back({log, range.first, range.last});
  }
  return fixes;
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
