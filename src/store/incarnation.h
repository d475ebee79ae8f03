// What begins an incarnation: why, which logs it closes, and what a wrong clock has stamped.
//
// Model:     Line keeps which of our events were stamped on the clock's present line
//            (core/clock_judge.h). When the line proves wrong, they and whatever else lies ahead of
//            the right time are the ranges of clock_fix records.
// Threads:   not thread-safe; parts of the store.
// Errors:    none: what cannot be read is reported beside the records.
// Limits:    one range a log; limits::kRecordLogs a record, and as many records as it takes.
// Spec:      docs/wire_format.md section 10
#pragma once

#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "codec/record.h"
#include "core/clock_judge.h"
#include "core/result.h"
#include "store/log_table.h"
#include "store/segment_table.h"
#include "store/types.h"

namespace ebb::store {

class Line {
 public:
  struct Range {
    Seq first = 0;
    Seq last = 0;
  };
  // Our events `first` to `last` of the log were stamped on the line.
  void stamped(const LogId& log, Seq first, Seq last);
  // Another line begins; these fixes have corrected what was stamped before by its time.
  void begin(std::vector<codec::ClockFix> corrected = {}) {
    ranges_.clear();
    corrected_ = std::move(corrected);
  }
  const std::map<LogId, Range>& ranges() const { return ranges_; }
  // They are as wrong as the line: the same ranges with offsets that are right where it is off by
  // this much.
  std::vector<codec::ClockFix> corrected_again(std::int64_t offset_ms) const;

 private:
  std::map<LogId, Range> ranges_;
  std::vector<codec::ClockFix> corrected_;
};

// The logs of this device in one incarnation, with their heads.
struct OwnLogs {
  const LogTable& logs;
  DeviceId device;
  Incarnation incarnation = 0;
};

// Whether such an incarnation begins because the store is an older one than others have met: its
// arrival numbers have meant something else to them.
inline bool store_is_older(codec::OpeningReason reason) {
  return reason == codec::OpeningReason::kRollback || reason == codec::OpeningReason::kRestore;
}

// The record that closes all of them. Without logs it closes nothing.
codec::Opening opening_record(const OwnLogs& own, codec::OpeningReason reason);

// What is wrong when right time is now `right` and stamps are off by `offset_ms`: the line, of the
// present incarnation everything ahead of any time that can be right, and what was corrected by the
// line's time before. Empty: nothing is.
struct FixRecords {
  std::vector<codec::ClockFix> fixes;
  std::vector<Error> damage;  // what could not be read, and is left to the line
};
FixRecords clock_fix_records(const OwnLogs& own, const SegmentTable& segments, const Line& line,
                             WallTime right, std::int64_t offset_ms);

// The records as appends to the control topic.
AppendBatch record_batch(const std::optional<codec::Opening>& opening,
                         const std::vector<codec::ClockFix>& fixes);

}  // namespace ebb::store
