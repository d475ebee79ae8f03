#include "store/sql.h"

#include <sqlite3.h>

#include <algorithm>
#include <utility>

#include "core/limits.h"
#include "store/events_table.h"
#include "store/heap_budget.h"
#include "store/schema.h"
#include "store/sql_functions.h"
#include "store/sql_guard.h"

namespace ebb::store {
namespace {

// Ids as people see them, and nothing of how the store keeps them. The last statement makes SQLite
// set the virtual tables up, which the authorizer would refuse later.
constexpr const char* kViews = R"sql(
PRAGMA cache_size=-4096;
CREATE TEMP VIEW heads AS
  SELECT ebb_log(id) AS log, ebb_device(device) AS device, format('%016x', incarnation) AS
    incarnation, topic, seq, ebb_hex(chain) AS chain, hlc, floor_seq, arrival, capped
  FROM main.logs;
CREATE TEMP VIEW devices AS
  SELECT ebb_device(device) AS device, sum(logs) AS logs, sum(events) AS events,
    max(last_ms) AS last_ms, max(address) AS address, max(heard_ms) AS heard_ms
  FROM (SELECT device, count(*) AS logs, sum(seq) AS events, max(hlc >> 16) AS last_ms,
          NULL AS address, NULL AS heard_ms FROM main.logs GROUP BY device
        UNION ALL SELECT device, 0, 0, NULL, address, heard_ms FROM main.peers)
  GROUP BY device;
CREATE TEMP VIEW reconciliations AS
  SELECT n, ebb_hex(id) AS id, ebb_device(peer) AS peer, kind, started_ms, duration_us, rounds,
    heads_compared, events_in, events_out, bytes_in, bytes_out, outcome, held_before, known_before,
    held_after, known_after, ebb_hex(root_before) AS root_before, ebb_hex(root_after) AS root_after
  FROM main.reconciliations;
PRAGMA query_only=1;
SELECT 1 FROM events, json_each('[]'), json_tree('[]');
)sql";

Error query_error(sqlite3* db, int rc) {
  switch (rc & 0xff) {
    case SQLITE_INTERRUPT:
      return {ErrorCode::kTooLarge, "time", {}};
    case SQLITE_NOMEM:
      return {ErrorCode::kTooLarge, "memory",
              "more than " + std::to_string(limits::kSqlHeapBytes) + " bytes"};
    case SQLITE_TOOBIG:
      return {ErrorCode::kTooLarge, "sql", sqlite3_errmsg(db)};
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_IOERR:
    case SQLITE_BUSY:
      return sqlite_error(rc, db, "sql");
    default:
      return {ErrorCode::kInvalidArgument, "sql", sqlite3_errmsg(db)};
  }
}

struct Finalize {
  void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
};
using Prepared = std::unique_ptr<sqlite3_stmt, Finalize>;

// The first statement of `text`, which loses it. Null when there was only space and comments.
Result<Prepared> take_statement(sqlite3* db, std::string_view& text) {
  sqlite3_stmt* statement = nullptr;
  const char* tail = nullptr;
  const int rc =
      sqlite3_prepare_v3(db, text.data(), static_cast<int>(text.size()), 0, &statement, &tail);
  Prepared owned(statement);
  if (rc != SQLITE_OK) return query_error(db, rc);
  text.remove_prefix(static_cast<std::size_t>(tail - text.data()));
  return owned;
}

Result<Prepared> only_statement(sqlite3* db, std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {
    return Error{ErrorCode::kInvalidArgument, "sql", "a NUL character"};
  }
  Prepared only;
  while (!text.empty()) {
    const std::size_t before = text.size();
    EBB_ASSIGN(Prepared next, take_statement(db, text));
    if (next != nullptr && only != nullptr) {
      return Error{ErrorCode::kInvalidArgument, "sql", "more than one statement"};
    }
    if (next != nullptr) only = std::move(next);
    if (text.size() == before) break;
  }
  if (only == nullptr) return Error{ErrorCode::kInvalidArgument, "sql", "no statement"};
  if (sqlite3_stmt_readonly(only.get()) == 0) {
    return Error{ErrorCode::kInvalidArgument, "sql", "not authorized"};
  }
  return only;
}

std::size_t value_bytes(sqlite3_stmt* statement, int column) {
  const int type = sqlite3_column_type(statement, column);
  const bool is_long = type == SQLITE_TEXT || type == SQLITE_BLOB;
  return sizeof(SqlValue) +
         (is_long ? static_cast<std::size_t>(sqlite3_column_bytes(statement, column)) : 0);
}

SqlValue value_of(sqlite3_stmt* statement, int column) {
  const int type = sqlite3_column_type(statement, column);
  if (type == SQLITE_INTEGER) return std::int64_t{sqlite3_column_int64(statement, column)};
  if (type == SQLITE_FLOAT) return sqlite3_column_double(statement, column);
  if (type == SQLITE_NULL) return std::monostate{};
  const auto* data = static_cast<const char*>(sqlite3_column_blob(statement, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement, column));
  const std::string_view view = size == 0 ? std::string_view() : std::string_view(data, size);
  if (type == SQLITE_TEXT) return std::string(view);
  return to_bytes(as_bytes(view));
}

// The bound is looked at before a value is copied.
Status read_rows(sqlite3* db, sqlite3_stmt* statement, const SqlLimits& limits, SqlResult& result) {
  std::size_t bytes = 0;
  const auto take = [&bytes, &limits](std::size_t more) -> Status {
    bytes += more;
    if (bytes <= limits.bytes) return {};
    return Error{ErrorCode::kTooLarge, "bytes", "more than " + std::to_string(limits.bytes)};
  };
  for (;;) {
    const int rc = sqlite3_step(statement);
    if (rc == SQLITE_DONE) return {};
    if (rc != SQLITE_ROW) return query_error(db, rc);
    if (result.rows.size() == limits.rows) {
      return Error{ErrorCode::kTooLarge, "rows", "more than " + std::to_string(limits.rows)};
    }
    EBB_RETURN_IF_ERROR(take(sizeof(std::vector<SqlValue>)));
    std::vector<SqlValue>& row = result.rows.emplace_back();
    row.reserve(result.columns.size());
    for (int i = 0; i < static_cast<int>(result.columns.size()); ++i) {
      EBB_RETURN_IF_ERROR(take(value_bytes(statement, i)));
      row.push_back(value_of(statement, i));
    }
  }
}

}  // namespace

SqlSession::SqlSession() = default;
SqlSession::~SqlSession() = default;

Result<std::unique_ptr<SqlSession>> SqlSession::open(const std::string& dir) {
  EBB_RETURN_IF_ERROR(install_heap_budgets());
  std::unique_ptr<SqlSession> session(new SqlSession());
  EBB_ASSIGN(session->db_, Connection::open(database_path(dir), Connection::Mode::kReadOnly));
  EBB_RETURN_IF_ERROR(session->prepare_connection());
  return session;
}

Status SqlSession::prepare_connection() {
  guard_ = std::make_unique<SqlGuard>();
  events_ = std::make_unique<EventsTable>(*db_, *guard_);
  EBB_RETURN_IF_ERROR(add_functions(db_->handle()));
  EBB_RETURN_IF_ERROR(events_->add_module());
  EBB_RETURN_IF_ERROR(db_->run(kViews));
  harden(db_->handle(), *guard_);
  return {};
}

Result<SqlResult> SqlSession::run(std::string_view statement, const SqlLimits& limits) {
  {
    const InternalScope internal(*guard_);
    EBB_RETURN_IF_ERROR(db_->run("BEGIN"));
  }
  guard_->expired = limits.expired;
  guard_->calls = 0;
  Result<SqlResult> result = run_in_transaction(statement, limits);
  guard_->expired = nullptr;
  events_->forget();
  const InternalScope internal(*guard_);
  // An error inside may have ended the transaction already.
  if (db_->in_transaction()) EBB_RETURN_IF_ERROR(db_->run("COMMIT"));
  return result;
}

Result<SqlResult> SqlSession::run_in_transaction(std::string_view statement,
                                                 const SqlLimits& bounds) {
  const HeapBudget budget(limits::kSqlHeapBytes);
  Result<Prepared> only = only_statement(db_->handle(), statement);
  if (guard_->calls > limits::kSqlCalls) {
    return Error{ErrorCode::kTooLarge, "sql",
                 "more than " + std::to_string(limits::kSqlCalls) + " calls of functions"};
  }
  if (!only.ok()) return only.error();
  const Prepared prepared = std::move(only).value();
  SqlResult result;
  const int columns = sqlite3_column_count(prepared.get());
  for (int i = 0; i < columns; ++i)
    result.columns.emplace_back(sqlite3_column_name(prepared.get(), i));
  EBB_RETURN_IF_ERROR(read_rows(db_->handle(), prepared.get(), bounds, result));
  return result;
}

}  // namespace ebb::store
