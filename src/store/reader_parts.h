// ReaderParts: what a Reader is made of, shared with verification. Not for other rooms.
//
// Threads: not thread-safe; one thread at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "core/result.h"
#include "store/event_scan.h"
#include "store/log_table.h"
#include "store/reader.h"
#include "store/segment_table.h"
#include "store/sql.h"
#include "store/sqlite.h"

namespace ebb::store {

struct ReaderParts {
  Status open(const std::string& given_dir);
  // All heads as committed now; read again only when something was committed since.
  Result<const LogTable*> logs();

  std::string dir;
  std::unique_ptr<Connection> db;
  SegmentTable segments;
  EventScan scan;
  std::unique_ptr<SqlSession> sql;  // made at the first query
  std::function<bool()> expired;    // Reader::set_expired

 private:
  LogTable logs_;
  std::int64_t logs_version_ = -1;
  Statement data_version_;
};

struct Reader::Impl : ReaderParts {};

// The part of the filter that is about single events; nullopt: it excludes them all.
std::optional<ScanFilter> scan_filter(const EventFilter& filter);
// The first event of the log that may be told.
Seq first_wanted(const EventFilter& filter, const LogId& log);
// `row` is of this log; its event is the scan's.
void take_event(const EventScan& scan, const LogId& log, EventRow& row);

}  // namespace ebb::store
