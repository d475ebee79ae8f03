// ReceiveStage: what one commit takes from the segments of others. Every segment verifies by
// itself; here it is judged whether it extends what this store holds.
//
// Model:   a segment is stored whole, or without the events that are held already. One with an
//          invalid event caps its log in front of that event: the segment is kept as it is, since
//          its end cannot be moved, the head stays below, and nothing more is taken for that log.
// Threads: not thread-safe; a value of one commit.
// Errors:  those of the database; an odd segment is an outcome, not an error.
// Spec:    docs/store_format.md section 4
#pragma once

#include <optional>
#include <vector>

#include "core/result.h"
#include "store/event_run.h"
#include "store/log_table.h"
#include "store/quota_table.h"
#include "store/segment_table.h"
#include "store/types.h"

namespace ebb::store {

struct ReceivedRun {
  LogNumber n = 0;
  EventRun run;
};

class ReceiveStage {
 public:
  ReceiveStage(LogStage& logs, SegmentTable& segments, QuotaStage& quotas)
      : logs_(logs), segments_(segments), quotas_(quotas) {}

  Result<SegmentOutcome> add(const trust::VerifiedSegment& segment);
  // What the fold is to take, in order; leaves them to the caller.
  std::vector<ReceivedRun>& runs() { return runs_; }

 private:
  // kStored: it begins at or below held + 1, ends above, and the chains agree.
  Result<SegmentOutcome> judge(const trust::VerifiedSegment& segment, const LogRow& row) const;
  Result<SegmentOutcome> judge_held(const trust::VerifiedSegment& segment, const LogRow& row) const;
  // `known`: the row of its log; nullptr: it is the first of a new one.
  Result<SegmentOutcome> store(const trust::VerifiedSegment& segment, const LogRow* known);

  LogStage& logs_;
  SegmentTable& segments_;
  QuotaStage& quotas_;
  std::vector<ReceivedRun> runs_;
};

}  // namespace ebb::store
