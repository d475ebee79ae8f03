// SqlSession: SQL from people over the published tables. It can read those and nothing else.
//
// Model:     a read-only connection of its own, hardened: query_only, DEFENSIVE, no trusted schema,
//            SQLite's limits, and an authorizer with lists of what is allowed. Each query is one
//            statement in one read transaction.
// Threads:   not thread-safe; one thread at a time.
// Errors:    kInvalidArgument with SQLite's message; kTooLarge (rows, bytes, time, memory, or the
//            text).
// Limits:    kSqlValueBytes a value, kSqlHeapBytes of SQLite's heap, kSqlCalls in the text; the
//            caller's SqlLimits for the result and the time, looked at every 250 steps.
// Spec:      docs/store_format.md section 7
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"
#include "store/reader.h"
#include "store/sqlite.h"

namespace ebb::store {

class EventsTable;
struct SqlGuard;

class SqlSession {
 public:
  static Result<std::unique_ptr<SqlSession>> open(const std::string& dir);
  ~SqlSession();
  SqlSession(const SqlSession&) = delete;
  SqlSession& operator=(const SqlSession&) = delete;

  Result<SqlResult> run(std::string_view statement, const SqlLimits& limits);

 private:
  SqlSession();
  Status prepare_connection();
  Result<SqlResult> run_in_transaction(std::string_view statement, const SqlLimits& limits);

  std::unique_ptr<SqlGuard> guard_;
  std::unique_ptr<EventsTable> events_;
  std::unique_ptr<Connection> db_;  // last: it goes first, and calls into the others until then
};

}  // namespace ebb::store
