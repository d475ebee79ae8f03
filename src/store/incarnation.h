// What begins an incarnation: why, which logs it closes, and what a wrong clock has stamped.
//
// Model:     Line keeps which of our events were stamped on the clock's present line
//            (core/clock_judge.h). When the line proves wrong, they and whatever else lies ahead of
//            the right time are the ranges of clock_fix records.
// Threads:   not thread-safe; parts of the store.
// Errors:    those of the database; kCorrupt for damaged segments.
// Limits:    one range a log; limits::kRecordLogs a record, and as many records as it takes.
// Spec:      docs/wire_format.md section 10
#pragma once

#include <map>
#include <optional>
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
  // Another line begins.
  void begin() { ranges_.clear(); }
  const std::map<LogId, Range>& ranges() const { return ranges_; }

 private:
  std::map<LogId, Range> ranges_;
};

// The logs of this device in one incarnation, with their heads.
struct OwnLogs {
  const LogTable& logs;
  DeviceId device;
  Incarnation incarnation = 0;
};

// The record that closes all of them. Without logs it closes nothing.
codec::Opening opening_record(const OwnLogs& own, codec::OpeningReason reason);

// What is wrong when right time is now `right` and stamps are off by `offset_ms`: the line, and of
// the present incarnation everything ahead of any time that can be right. Empty: nothing is.
Result<std::vector<codec::ClockFix>> clock_fix_records(const OwnLogs& own,
                                                       const SegmentTable& segments,
                                                       const Line& line, WallTime right,
                                                       std::int64_t offset_ms);

// The records as appends to the control topic.
AppendBatch record_batch(const std::optional<codec::Opening>& opening,
                         const std::vector<codec::ClockFix>& fixes);

}  // namespace ebb::store
