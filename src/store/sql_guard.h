// SqlGuard: what a hardened connection may do.
//
// Threads: not thread-safe; belongs to one connection.
#pragma once

#include <cstddef>
#include <functional>

struct sqlite3;

namespace ebb::store {

struct SqlGuard {
  // True while our own code prepares or steps statements on the connection: the authorizer then
  // lets it read the tables behind the published ones.
  bool internal = false;
  // Calls of functions in the text of the query in hand. What stands between two loops of a program
  // runs without a look at the time, so it has to be short.
  std::size_t calls = 0;
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

// SQLite's own limits, the authorizer and the progress handler. `guard` outlives the connection.
void harden(sqlite3* db, SqlGuard& guard);

}  // namespace ebb::store
