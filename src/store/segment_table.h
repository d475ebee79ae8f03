// Segments as rows: writing them, reading them back as the bytes of the wire.
//
// Model:   the key of a row is (log number << 40) | first_seq, so the segments of a log are
//          neighbours in order. A row carries the body as encoded; the wire form is put together
//          when asked for.
// Threads: not thread-safe; one connection, one thread.
// Errors:  kCorrupt for rows that do not make sense; those of store/sqlite.h.
// Spec:    docs/store_format.md section 3
#pragma once

#include <cstdint>
#include <vector>

#include "codec/segment.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/shared_bytes.h"
#include "store/log_table.h"
#include "store/sqlite.h"
#include "store/zone_map.h"
#include "trust/segment_verify.h"

namespace ebb::store {

inline constexpr int kSeqBits = 40;
static_assert(limits::kSeqMax == (Seq{1} << kSeqBits) - 1);

inline std::int64_t segment_rowid(LogNumber n, Seq first_seq) {
  return static_cast<std::int64_t>((std::uint64_t{n} << kSeqBits) | first_seq);
}
inline Seq rowid_seq(std::int64_t rowid) { return static_cast<Seq>(rowid) & limits::kSeqMax; }

// One row. Views are valid until its statement moves on.
struct StoredSegment {
  LogNumber n = 0;
  codec::SegmentView view;  // `log` is filled in by whoever knows it
  bool packed = false;      // compressing was tried: nothing more to gain
  std::uint64_t raw_bytes = 0;
  ZoneMap zone;
};

// The columns that read_segment_row expects, in its order.
inline constexpr std::string_view kSegmentColumns =
    "id,count,codec,packed,raw_bytes,ts_min,ts_max,hlc_min,head_hlc,types,prev_chain,signature,"
    "body";
Result<StoredSegment> read_segment_row(const Statement& row);

class SegmentTable {
 public:
  Status open(const Connection& connection, bool writable);

  Status insert(LogNumber n, const trust::VerifiedSegment& segment, const ZoneMap& zone,
                bool packed);
  // Removes all segments of the log that begin in [first, last].
  Status erase(LogNumber n, Seq first, Seq last);

  // Rows of segments that hold any of [from, to], in order; run the result to its end or reset it.
  Statement& range(LogNumber n, Seq from, Seq to) const;
  // chain(seq) where a stored segment begins right behind it; nullopt where none does.
  Result<std::optional<Hash>> chain_before(LogNumber n, Seq first_seq) const;

  // Whole segments in wire form, as Store::read_segments says.
  Result<std::vector<SharedBytes>> read(const LogRow& log, Seq from, Seq to,
                                        std::size_t bytes_max) const;

 private:
  Statement insert_;
  Statement erase_;
  // Reading moves only statements, not what the table holds.
  mutable Statement range_;
  mutable Statement chain_before_;
};

}  // namespace ebb::store
