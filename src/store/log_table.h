// LogTable: the heads of all logs, in memory as they are in the table `logs`; LogStage: the rows
// that one transaction changes, so that a failed one leaves no trace.
//
// Model:   a row's number n (from 1) is its place in the table and never changes; rows are never
//          deleted. Arrival numbers are given by LogStage::write, one per log that moved.
// Threads: not thread-safe; owned by the store or a reader.
// Errors:  kCorrupt for rows that this program did not write; those of store/sqlite.h.
// Limits:  limits::kKnownLogs and kLogsPerDevice are the caller's to keep.
// Spec:    docs/store_format.md section 3
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <unordered_map>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "core/time.h"
#include "store/sqlite.h"
#include "store/types.h"

namespace ebb::store {

using LogNumber = std::uint32_t;

struct LogRow {
  LogNumber n = 0;
  HeadRecord head;
  WallTime wall;  // of the commit that moved it last, as judged
};

class LogTable {
 public:
  // Reads all rows. `writable` prepares what LogStage needs.
  Status open(const Connection& connection, bool writable);

  const LogRow* find(const LogId& log) const;
  // nullptr when there is no such number.
  const LogRow* at(LogNumber n) const;
  const std::vector<LogRow>& rows() const { return rows_; }  // in order of n
  std::size_t count_of(const DeviceId& device) const;
  Arrival arrival_head() const { return arrival_head_; }

 private:
  friend class LogStage;
  void add(LogRow row);

  std::vector<LogRow> rows_;
  std::unordered_map<LogId, LogNumber> numbers_;  // looked up, never iterated
  std::map<DeviceId, std::size_t> counts_;
  Arrival arrival_head_ = 0;
  Statement insert_;
  Statement update_;
};

class LogStage {
 public:
  explicit LogStage(LogTable& table) : table_(table) {}

  // The row as this transaction sees it; nullptr when the log is not known.
  const LogRow* find(const LogId& log) const;
  // The row to change; the log must be known.
  LogRow& edit(const LogId& log);
  // A new row before its first event. The log must not be known.
  LogRow& create(const LogKey& key, const LogId& log, const Hash& chain_start);
  // Known logs, those created here included.
  std::size_t log_count() const { return table_.rows_.size() + created_; }
  std::size_t log_count_of(const DeviceId& device) const;

  // Gives arrival numbers and writes what changed, at this time.
  Status write(WallTime now);
  // After the commit: the table becomes what was staged. One entry per log that
  // moved, `own_append` left to the caller.
  std::vector<HeadAdvance> apply();

 private:
  struct Staged {
    LogRow row;
    Position before;
    bool capped_before = false;
    bool created = false;
    bool moved() const { return row.head.held != before || row.head.capped != capped_before; }
  };
  Status write_row(Staged& staged);

  LogTable& table_;
  std::deque<Staged> staged_;  // in order of first change; references stay valid
  std::map<LogId, Staged*> index_;
  std::size_t created_ = 0;
  std::map<DeviceId, std::size_t> created_of_;
  Arrival arrival_head_ = 0;
};

}  // namespace ebb::store
