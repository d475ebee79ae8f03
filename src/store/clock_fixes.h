// ClockFixes: what devices have said of their own wrong stamps, for reading events by true time.
//
// Model:     read from the clock_fix records of all control topics, as of the transaction in hand.
//            A record counts for logs of its own device alone; of several that name an event the
//            one with the greatest (hlc, log, seq).
// Threads:   not thread-safe; one connection, one thread.
// Errors:    those of store/event_scan.h; kTooLarge when there are more than limits::kClockFixes.
// Limits:    of one log the latest limits::kClockFixesPerLog.
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
      Hlc said;  // when and where
      Dot by;
    };
    void keep_latest(std::size_t most);
    std::vector<Range> ranges_;
  };

  // Asked between segments; true ends the reading with kTooLarge "time". May be empty.
  Status load(const Connection& connection, const LogTable& logs,
              const std::function<bool()>& expired);
  // nullptr when nothing is known of the log.
  const Ranges* of(const LogId& log) const;

 private:
  void take(const LogTable& logs, const DeviceId& author, const Dot& by, Hlc said,
            const codec::ClockFix& fix);

  std::map<LogId, Ranges> logs_;
  std::size_t count_ = 0;
};

}  // namespace ebb::store
