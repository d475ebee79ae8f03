#include "store/event_scan.h"

#include <algorithm>
#include <utility>

#include "codec/segment.h"
#include "store/damage.h"
#include "store/segment_table.h"

namespace ebb::store {
namespace {

// The body comes last and is loaded only for rows that the zone map lets through.
constexpr std::string_view kRows =
    "SELECT id,codec,body FROM segments WHERE id>=coalesce((SELECT max(id) FROM segments WHERE id "
    "BETWEEN ?1 AND ?2),?2) AND id<=?3 AND ts_max>=?4 AND ts_min<=?5 AND (?6 IS NULL OR types='' "
    "OR instr(types,?6)>0) ORDER BY id";

}  // namespace

Status EventScan::open(const Connection& connection) {
  EBB_ASSIGN(rows_, connection.prepare(kRows));
  return {};
}

void EventScan::set_filter(ScanFilter filter) {
  filter_ = std::move(filter);
  type_line_ = filter_.type ? *filter_.type + "\n" : std::string();
}

void EventScan::start(const LogRow& log, Seq from, Seq to) {
  rows_.reset();
  log_ = log.head.log;
  from_ = std::max<Seq>(from, 1);
  to_ = std::min(to, log.head.held.seq);
  seq_ = from_ - 1;
  body_ = codec::BodyReader(ByteView{});
  rows_.bind(1, segment_rowid(log.n, 0));
  rows_.bind(2, segment_rowid(log.n, std::min(from_, to_ + 1)));
  rows_.bind(3, segment_rowid(log.n, to_));
  rows_.bind(4, filter_.ts_min);
  rows_.bind(5, filter_.ts_max);
  if (filter_.type) {
    rows_.bind_text(6, type_line_);
  } else {
    rows_.bind_null(6);
  }
}

Result<bool> EventScan::next() {
  Result<bool> more = advance();
  // A statement in the middle of its rows would keep the connection at this moment for good.
  if (!more.ok()) stop();
  return more;
}

Result<bool> EventScan::advance() {
  for (;;) {
    if (body_.at_end() || seq_ >= to_) {
      EBB_ASSIGN(const bool more, next_segment());
      if (!more) return false;
    }
    EBB_ASSIGN(const codec::BodyReader::Next next, or_damage(body_.next(), log_, first_seq_));
    ++seq_;
    if (seq_ < from_) continue;
    if (next.fault) return damage(*next.fault, log_, first_seq_);
    if (next.newer_format || !fits(next.event)) continue;
    event_ = next.event;
    return true;
  }
}

void EventScan::stop() {
  rows_.reset();
  body_ = codec::BodyReader(ByteView{});
}

Result<bool> EventScan::next_segment() {
  if (expired_ && expired_()) return Error{ErrorCode::kTooLarge, "time"};
  body_ = codec::BodyReader(ByteView{});
  EBB_ASSIGN(const bool more, rows_.step());
  if (!more) {
    rows_.reset();
    return false;
  }
  first_seq_ = rowid_seq(rows_.column_int(0));
  seq_ = first_seq_ - 1;
  const ByteView body = rows_.column_blob(2);
  if (rows_.column_int(1) == static_cast<std::int64_t>(codec::SegmentCodec::kRaw)) {
    body_ = codec::BodyReader(body);
    return true;
  }
  EBB_ASSIGN(decoded_,
             or_damage(codec::decode_body(codec::SegmentCodec::kZstd, body), log_, first_seq_));
  body_ = codec::BodyReader(decoded_);
  return true;
}

bool EventScan::fits(const codec::EventView& event) const {
  if (filter_.type && event.type != *filter_.type) return false;
  const std::int64_t ts = event.effective_ts_ms();
  return ts >= filter_.ts_min && ts <= filter_.ts_max;
}

}  // namespace ebb::store
