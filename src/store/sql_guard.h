// SqlGuard: what a hardened connection may do, and the scalar functions it has beside SQLite's.
//
// Threads: not thread-safe; belongs to one connection.
#pragma once

#include <functional>

#include "core/result.h"

struct sqlite3;

namespace ebb::store {

struct SqlGuard {
  // True while our own code prepares or steps statements on the connection: the authorizer then
  // lets it read the tables behind the published ones.
  bool internal = false;
  // Whether the query in hand has used up its time. May be empty.
  std::function<bool()> expired;
};

// Marks a scope as our own.
class InternalScope {
 public:
  explicit InternalScope(SqlGuard& guard) : guard_(guard), before_(guard.internal) {
    guard_.internal = true;
  }
  ~InternalScope() { guard_.internal = before_; }
  InternalScope(const InternalScope&) = delete;
  InternalScope& operator=(const InternalScope&) = delete;

 private:
  SqlGuard& guard_;
  bool before_;
};

// ebb_device(blob), ebb_log(blob), ebb_hex(blob): ids as people see them.
Status add_functions(sqlite3* db);
// SQLite's own limits, the authorizer and the progress handler. `guard` outlives the connection.
void harden(sqlite3* db, SqlGuard& guard);

}  // namespace ebb::store
