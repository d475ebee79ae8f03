// EventsTable: the events of all logs as the SQL table `events`, a virtual table over segments.
//
// Model:     conditions on device, topic, log, seq, ts and type choose logs, ranges and segments;
//            whatever they let through SQLite checks again, so they may be wide but never narrow.
//            A payload becomes JSON only where its column is read.
// Ownership: `connection` and `guard` outlive it, and it outlives the connection's queries.
// Threads:   not thread-safe; belongs to one connection.
// Spec:      docs/store_format.md section 7
#pragma once

#include <memory>

#include "core/result.h"
#include "store/clock_fixes.h"
#include "store/log_table.h"
#include "store/sql_guard.h"
#include "store/sqlite.h"

namespace ebb::store {

class EventsTable {
 public:
  EventsTable(Connection& connection, SqlGuard& guard) : connection_(connection), guard_(guard) {}

  Status add_module();

  Connection& connection() { return connection_; }
  SqlGuard& guard() { return guard_; }
  // The heads as of the transaction in hand, read once for all cursors.
  Result<const LogTable*> logs();
  // What devices say of their wrong stamps, as of the same transaction; read when first asked for.
  Result<const ClockFixes*> clock_fixes();
  // The transaction is over.
  void forget() {
    logs_.reset();
    clock_fixes_.reset();
  }

 private:
  Connection& connection_;
  SqlGuard& guard_;
  std::unique_ptr<LogTable> logs_;
  std::unique_ptr<ClockFixes> clock_fixes_;
};

}  // namespace ebb::store
