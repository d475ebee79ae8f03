// ClockFixes: what devices have said of their own wrong stamps, for reading events by true time.
//
// Model:     read from the clock_fix records of all control topics, as of the transaction in hand.
//            A record counts for logs of its own device alone; of several that name an event the
//            one of the latest incarnation, as the openings say which came after which, and in it
//            the one with the greatest (hlc, log, seq).
// Threads:   not thread-safe; one connection, one thread.
// Errors:    those of store/event_scan.h.
// Limits:    of one log the latest limits::kClockFixesPerLog, of one device the latest
//            limits::kClockFixesPerDevice; of all together limits::kClockFixes, beyond which the
//            devices with the most lose their earlier half.
// Spec:      docs/wire_format.md section 10
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "codec/record.h"
#include "core/hlc.h"
#include "core/ids.h"
#include "core/result.h"
#include "store/event_scan.h"
#include "store/log_table.h"
#include "store/sqlite.h"

namespace ebb::store {

class ClockFixes {
 public:
  // Of one log.
  class Ranges {
   public:
    // To be added to the stamp of event `seq`; 0 where nothing is known.
    std::int64_t offset_ms(Seq seq) const;

   private:
    friend class ClockFixes;
    struct Range {
      Seq from = 0;
      Seq to = 0;
      std::int64_t offset_ms = 0;
      // By whom, when and where it was said.
      std::size_t incarnation = 0;  // how many came before it
      Hlc said;
      Dot by;
      bool later_than(const Range& other) const;
    };
    std::vector<Range> ranges_;
  };

  // Asked between segments; true ends the reading with kTooLarge "time". May be empty.
  Status load(const Connection& connection, const LogTable& logs,
              const std::function<bool()>& expired);
  // nullptr when nothing is known of the log.
  const Ranges* of(const LogId& log) const;

 private:
  using Openings = std::map<Incarnation, Incarnation>;  // each with the one before
  struct Said {
    LogId log;
    Ranges::Range range;
  };
  // Of one device, as far as it is kept.
  using Author = std::vector<Said>;

  Status read_openings(EventScan& scan, const LogTable& logs);
  Status read_fixes(EventScan& scan, const LogTable& logs, const LogRow& row);
  void keep_latest(Author& author, std::size_t most);
  void keep_bounds();
  std::size_t rank_of(const LogKey& key) const;

  std::map<LogId, Ranges> logs_;
  std::map<DeviceId, Openings> openings_;
  std::map<DeviceId, Author> authors_;
  std::size_t count_ = 0;
};

}  // namespace ebb::store
