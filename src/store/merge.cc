#include "store/merge.h"

#include <algorithm>
#include <utility>

#include "codec/segment.h"
#include "core/limits.h"
#include "core/planted.h"
#include "store/damage.h"
#include "store/store.h"
#include "store/store_parts.h"
#include "trust/segment_verify.h"

namespace ebb::store {
namespace {

// How many logs, and segments of each, one step looks at.
constexpr int kLookAtLogs = 64;
constexpr std::int64_t kLookAtSegments = 2 * static_cast<std::int64_t>(limits::kMergeSegments);

// 1 to 7 events, 8 to 63, and so on: segments of one tier may be joined without rewriting a large
// one for the sake of a small one.
int tier(std::uint64_t events) {
  int result = 0;
  for (; events >= limits::kMergeFanIn; events /= limits::kMergeFanIn)
    ++result;
  return result;
}

MergeRun run_of(const std::vector<SegmentSize>& sizes, std::size_t begin, std::size_t end,
                bool settles) {
  return {0, sizes[begin].first_seq, sizes[end - 1].first_seq, settles};
}

// The tail of a log, too little for a segment at rest.
std::optional<MergeRun> choose_in_tail(const std::vector<SegmentSize>& sizes, std::size_t begin) {
  for (int level = 0; level <= tier(limits::kSegmentRestEvents); ++level) {
    std::size_t length = 0;
    for (std::size_t i = begin; i <= sizes.size(); ++i) {
      if (i < sizes.size() && tier(sizes[i].events) <= level) {
        ++length;
        continue;
      }
      if (length >= limits::kMergeFanIn) return run_of(sizes, i - length, i, false);
      length = 0;
    }
  }
  return std::nullopt;
}

}  // namespace

bool fills_segment(std::uint64_t events, std::uint64_t bytes) {
  return events >= limits::kSegmentRestEvents || bytes >= limits::kSegmentRestBytes;
}

std::optional<MergeRun> choose_run(const std::vector<SegmentSize>& sizes, bool complete,
                                   Seq& settled) {
  std::size_t begin = 0;
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const SegmentSize& size = sizes[i];
    if (begin == i && size.packed && fills_segment(size.events, size.bytes)) {
      settled = size.last_seq();
      begin = i + 1;
      continue;
    }
    const bool too_large = events + size.events > limits::kSegmentEvents ||
                           bytes + size.bytes > limits::kSegmentDecodedBytes;
    if (too_large && i > begin) return run_of(sizes, begin, i, true);
    events += size.events;
    bytes += size.bytes;
    if (fills_segment(events, bytes)) return run_of(sizes, begin, i + 1, true);
    if (i + 1 - begin == limits::kMergeSegments) return run_of(sizes, begin, i + 1, false);
  }
  return complete ? choose_in_tail(sizes, begin) : std::nullopt;
}

Status MergeQueue::open(const Connection& connection, const LogTable& logs) {
  EBB_ASSIGN(sizes_, connection.prepare("SELECT id,count,raw_bytes,packed FROM segments WHERE "
                                        "id>?1 AND id<=?2 ORDER BY id LIMIT ?3"));
  EBB_ASSIGN(put_settled_, connection.prepare("UPDATE logs SET settled=?2 WHERE n=?1"));
  EBB_ASSIGN(Statement settled, connection.prepare("SELECT n,settled FROM logs"));
  for (;;) {
    EBB_ASSIGN(const bool more, settled.step());
    if (!more) break;
    settled_[static_cast<LogNumber>(settled.column_int(0))] = settled.column_u64(1);
  }
  for (const LogRow& row : logs.rows())
    touch(row.n);
  return {};
}

void MergeQueue::touch(LogNumber n) {
  if (queued_.insert(n).second) queue_.push_back(n);
}

Result<std::optional<MergeRun>> MergeQueue::next(const LogTable& logs) {
  for (int i = 0; i < kLookAtLogs && !queue_.empty(); ++i) {
    const LogNumber n = queue_.front();
    queue_.pop_front();
    queued_.erase(n);
    const LogRow* row = logs.at(n);
    // The last segment of a capped log reaches beyond its head; such a log stays as it is.
    if (row == nullptr || row->head.capped) continue;
    EBB_ASSIGN(const std::optional<MergeRun> run, look_at(*row));
    if (run) return run;
  }
  return std::optional<MergeRun>();
}

Result<std::optional<MergeRun>> MergeQueue::look_at(const LogRow& row) {
  const LogNumber n = row.n;
  std::vector<SegmentSize> sizes;
  Seq& settled = settled_[n];
  sizes_.bind(1, segment_rowid(n, settled));
  sizes_.bind(2, segment_rowid(n, limits::kSeqMax));
  sizes_.bind(3, kLookAtSegments);
  const ScopedReset reset(sizes_);
  for (;;) {
    EBB_ASSIGN(const bool more, sizes_.step());
    if (!more) break;
    sizes.push_back({rowid_seq(sizes_.column_int(0)), sizes_.column_u64(1), sizes_.column_u64(2),
                     sizes_.column_int(3) != 0});
  }
  const bool complete = std::ssize(sizes) < kLookAtSegments;
  std::optional<MergeRun> run = choose_run(sizes, complete, settled);
  if (run) run->n = n;
  if (run || !complete) touch(n);
  return run;
}

Status MergeQueue::write_settled(LogNumber n, Seq settled) {
  put_settled_.bind(1, std::int64_t{n});
  put_settled_.bind(2, settled);
  return put_settled_.run();
}

void MergeQueue::merged(const MergeRun& run, Seq last_seq) {
  if (run.settles) settled_[run.n] = last_seq;
}

namespace {

// The segments of the run as one, believed only as a whole.
Result<trust::VerifiedSegment> join(const StoreParts& store, const LogRow& log,
                                    const MergeRun& run) {
  EBB_ASSIGN(std::vector<SharedBytes> parts,
             store.segments.read(log, run.first, run.last, SIZE_MAX));
  if (planted(Bug::kMergeLosesSegment)) parts.pop_back();
  auto joined = trust::merge_segments(log.head.key, parts, codec::SegmentCodec::kZstd);
  if (!joined.ok()) return damage(joined.error(), log.head.log, run.first);
  if (joined->invalid_from != 0) {
    return damage({ErrorCode::kMalformed, "event"}, log.head.log, joined->invalid_from);
  }
  return joined;
}

}  // namespace

Result<bool> Store::merge_step() {
  StoreParts& store = *impl_;
  EBB_ASSIGN(const std::optional<MergeRun> run, store.merge.next(store.logs));
  if (!run) return !store.merge.empty();
  const LogRow& log = *store.logs.at(run->n);
  EBB_ASSIGN(const trust::VerifiedSegment joined, join(store, log, *run));
  EBB_ASSIGN(const DecodedRun decoded, decode_run(joined, joined.last_seq()));
  Transaction transaction(*store.db);
  EBB_RETURN_IF_ERROR(store.begin(transaction));
  EBB_RETURN_IF_ERROR(store.segments.erase(run->n, run->first, run->last));
  EBB_RETURN_IF_ERROR(store.segments.insert(run->n, joined, decoded.zone, true));
  if (run->settles) EBB_RETURN_IF_ERROR(store.merge.write_settled(run->n, joined.last_seq()));
  EBB_RETURN_IF_ERROR(store.finish(transaction));
  store.merge.merged(*run, joined.last_seq());
  return true;
}

}  // namespace ebb::store
