// MergeQueue: which small segments of which log are worth joining next. It finds runs; the store
// joins them.
//
// Model:   per log, everything up to `settled` is at rest: segments of about
//          limits::kSegmentRestEvents or kSegmentRestBytes, compressed where that helps. Behind it
//          a run is joined when it fills a segment at rest, when it has limits::kMergeSegments
//          segments, or when limits::kMergeFanIn neighbours are of the same size or smaller: so
//          every event is rewritten a few times at most, and a quiet log keeps few small segments.
// Threads: not thread-safe; owned by the store.
// Errors:  those of store/sqlite.h.
// Spec:    docs/store_format.md section 4
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "core/result.h"
#include "store/log_table.h"
#include "store/segment_table.h"
#include "store/sqlite.h"

namespace ebb::store {

// The segments of log n that begin in [first, last] are to be one.
struct MergeRun {
  LogNumber n = 0;
  Seq first = 0;
  Seq last = 0;          // first_seq of the last one
  bool settles = false;  // the result is at rest, and so is everything before it
};

// Size of one stored segment, for choosing.
struct SegmentSize {
  Seq first_seq = 0;
  std::uint64_t events = 0;
  std::uint64_t bytes = 0;  // decoded
  bool packed = false;
  Seq last_seq() const { return first_seq + events - 1; }
};

// Whether a segment of this size needs no neighbours to be one at rest.
bool fills_segment(std::uint64_t events, std::uint64_t bytes);

// The choice by itself. `sizes` are consecutive segments behind everything settled; `settled` is
// raised over those in front that need nothing. `complete`: the log ends with `sizes`.
std::optional<MergeRun> choose_run(const std::vector<SegmentSize>& sizes, bool complete,
                                   Seq& settled);

class MergeQueue {
 public:
  // Every log is looked at once after a start; nothing is read before next().
  Status open(const Connection& connection, const LogTable& logs);
  // The log has new segments.
  void touch(LogNumber n);
  // The next run, or nullopt when none was found in the first few logs of the queue.
  Result<std::optional<MergeRun>> next(const LogTable& logs);
  // Nothing is left to look at.
  bool empty() const { return queue_.empty(); }
  // Records inside a transaction what a settling run has settled...
  Status write_settled(LogNumber n, Seq settled);
  // ...and takes over after its commit.
  void merged(const MergeRun& run, Seq last_seq);

 private:
  Result<std::optional<MergeRun>> look_at(const LogRow& row);

  std::deque<LogNumber> queue_;
  std::set<LogNumber> queued_;
  std::map<LogNumber, Seq> settled_;
  Statement sizes_;
  Statement put_settled_;
};

}  // namespace ebb::store
