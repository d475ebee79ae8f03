// EventScan: walks the stored events of one log after the other, passing by segments that cannot
// hold what is asked for.
//
// Model:     start() names a part of one log; next() moves to the next event that fits. Events of
//            a newer format are passed by: nothing of theirs can be read.
// Ownership: the event's views are valid until the next call.
// Threads:   not thread-safe; one connection, one thread.
// Errors:    kCorrupt for damaged rows; kTooLarge "time" when `expired` says so.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "codec/body_reader.h"
#include "codec/event.h"
#include "core/result.h"
#include "store/log_table.h"
#include "store/sqlite.h"

namespace ebb::store {

struct ScanFilter {
  std::int64_t ts_min = INT64_MIN;  // both inclusive
  std::int64_t ts_max = INT64_MAX;
  std::optional<std::string> type;
};

class EventScan {
 public:
  Status open(const Connection& connection);
  // Asked between segments; true ends the scan. May be empty.
  void set_expired(std::function<bool()> expired) { expired_ = std::move(expired); }

  void set_filter(ScanFilter filter);
  // Events `from` to `to` of the log, both inclusive, as far as it is held.
  void start(const LogRow& log, Seq from, Seq to);
  // False: the end of this part of the log. With that, or an error, the read transaction has ended.
  Result<bool> next();
  // Of the event last looked at, whether it fits or not.
  Seq seq() const { return seq_; }
  const codec::EventView& event() const { return event_; }
  // Lets go of the read transaction.
  void stop();

 private:
  Result<bool> advance();
  Result<bool> next_segment();
  bool fits(const codec::EventView& event) const;

  Statement rows_;
  std::function<bool()> expired_;
  ScanFilter filter_;
  std::string type_line_;  // as it stands in a zone map
  Seq from_ = 0;
  Seq to_ = 0;
  codec::BodyReader body_{ByteView{}};
  Bytes decoded_;
  LogId log_;          // that of start()
  Seq first_seq_ = 0;  // of the segment in hand
  Seq seq_ = 0;        // of the event last read from `body_`
  codec::EventView event_;
};

}  // namespace ebb::store
