#include "store/segment_table.h"

#include <algorithm>
#include <string>
#include <utility>

#include "core/limits.h"
#include "core/planted.h"
#include "store/damage.h"

namespace ebb::store {
namespace {

constexpr std::string_view kInsert =
    "INSERT INTO segments(id,count,codec,packed,raw_bytes,ts_min,ts_max,hlc_min,head_hlc,types,"
    "prev_chain,signature,body) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)";

// The segment that holds `from` is the last one that begins at or before it.
std::string range_sql() {
  return "SELECT " + std::string(kSegmentColumns) +
         " FROM segments WHERE id>=coalesce((SELECT max(id) FROM segments WHERE id BETWEEN ?1 AND "
         "?2),?2) AND id<=?3 ORDER BY id";
}

// The part of a stored segment from `from` on, as bytes. Cutting needs the chain at the cut, so
// such a segment is verified on the way.
Result<SharedBytes> encode_from(const LogKey& key, const codec::SegmentView& view, Seq from) {
  SharedBytes whole = share(codec::encode_segment(view));
  if (view.first_seq >= from) return whole;
  EBB_ASSIGN(const trust::VerifiedSegment verified,
             or_damage(trust::verify_segment(key, std::move(whole)), view.log, view.first_seq));
  EBB_ASSIGN(const trust::VerifiedSegment cut, trust::cut_segment(verified, from));
  return cut.encoded;
}

}  // namespace

Result<StoredSegment> read_segment_row(const Statement& row) {
  StoredSegment out;
  const std::int64_t rowid = row.column_int(0);
  const std::int64_t count = row.column_int(1);
  const std::int64_t codec = row.column_int(2);
  out.n = static_cast<LogNumber>(static_cast<std::uint64_t>(rowid) >> kSeqBits);
  codec::SegmentView& view = out.view;
  view.first_seq = rowid_seq(rowid);
  if (view.first_seq == 0 || count < 1 ||
      count > static_cast<std::int64_t>(limits::kSegmentEvents) || codec < 0 || codec > 2) {
    return Error{ErrorCode::kCorrupt, "stored segment"};
  }
  view.count = static_cast<std::uint32_t>(count);
  view.codec = static_cast<codec::SegmentCodec>(codec);
  out.packed = row.column_int(3) != 0;
  out.raw_bytes = row.column_u64(4);
  out.zone.ts_min = row.column_int(5);
  out.zone.ts_max = row.column_int(6);
  out.zone.hlc_min = Hlc{row.column_u64(7)};
  view.head.seq = view.last_seq();
  view.head.hlc = Hlc{row.column_u64(8)};
  out.zone.types = row.column_text(9);
  EBB_ASSIGN(view.prev_chain, column_fixed<Hash>(row, 10));
  EBB_ASSIGN(view.head.signature, column_fixed<Signature>(row, 11));
  view.body = row.column_blob(12);
  return out;
}

Status SegmentTable::open(const Connection& connection, bool writable) {
  EBB_ASSIGN(range_, connection.prepare(range_sql()));
  EBB_ASSIGN(chain_before_, connection.prepare("SELECT prev_chain FROM segments WHERE id=?1"));
  if (!writable) return {};
  EBB_ASSIGN(insert_, connection.prepare(kInsert));
  EBB_ASSIGN(erase_, connection.prepare("DELETE FROM segments WHERE id BETWEEN ?1 AND ?2"));
  return {};
}

Status SegmentTable::insert(LogNumber n, const trust::VerifiedSegment& segment, const ZoneMap& zone,
                            bool packed) {
  ByteView body = *segment.raw;
  if (segment.codec != codec::SegmentCodec::kRaw) {
    EBB_ASSIGN(const codec::SegmentView view, codec::decode_segment(*segment.encoded));
    body = view.body;
  }
  insert_.bind(1, segment_rowid(n, segment.first_seq));
  insert_.bind(2, std::int64_t{segment.count});
  insert_.bind(3, static_cast<std::int64_t>(segment.codec));
  insert_.bind(4, packed);
  insert_.bind(5, static_cast<std::int64_t>(segment.raw->size()));
  insert_.bind(6, zone.ts_min);
  insert_.bind(7, zone.ts_max);
  insert_.bind(8, zone.hlc_min.value);
  insert_.bind(9, segment.head.hlc.value);
  insert_.bind_text(10, zone.types);
  insert_.bind(11, segment.prev_chain.view());
  insert_.bind(12, segment.head.signature.view());
  insert_.bind(13, body);
  return insert_.run();
}

Status SegmentTable::erase(LogNumber n, Seq first, Seq last) {
  erase_.bind(1, segment_rowid(n, first));
  erase_.bind(2, segment_rowid(n, last));
  return erase_.run();
}

Statement& SegmentTable::range(LogNumber n, Seq from, Seq to) const {
  range_.bind(1, segment_rowid(n, 0));
  range_.bind(2, segment_rowid(n, from));
  range_.bind(3, segment_rowid(n, to));
  return range_;
}

Result<std::optional<Hash>> SegmentTable::chain_before(LogNumber n, Seq first_seq) const {
  chain_before_.bind(1, segment_rowid(n, first_seq));
  const ScopedReset reset(chain_before_);
  EBB_ASSIGN(const bool found, chain_before_.step());
  if (!found) return std::optional<Hash>();
  EBB_ASSIGN(const Hash chain, column_fixed<Hash>(chain_before_, 0));
  return std::optional<Hash>(chain);
}

Result<std::vector<SharedBytes>> SegmentTable::read(const LogRow& log, Seq from, Seq to,
                                                    std::size_t bytes_max) const {
  std::vector<SharedBytes> out;
  from = std::max<Seq>(from, 1);
  to = to == 0 ? log.head.held.seq : std::min(to, log.head.held.seq);
  if (from > to) return out;
  Statement& rows = range(log.n, from, to);
  const ScopedReset reset(rows);
  std::size_t bytes = 0;
  while (out.empty() || bytes < bytes_max) {
    EBB_ASSIGN(const bool more, rows.step());
    if (!more) break;
    EBB_ASSIGN(StoredSegment stored, read_segment_row(rows));
    if (stored.view.last_seq() < from) continue;
    stored.view.log = log.head.log;
    const bool late = planted(Bug::kCutOneTooMany) && from > stored.view.first_seq;
    const Seq begin = late ? std::min(from + 1, stored.view.last_seq()) : from;
    EBB_ASSIGN(SharedBytes encoded, encode_from(log.head.key, stored.view, begin));
    bytes += encoded->size();
    out.push_back(std::move(encoded));
  }
  return out;
}

}  // namespace ebb::store
