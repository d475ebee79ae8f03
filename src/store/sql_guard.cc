#include "store/sql_guard.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "core/limits.h"

namespace ebb::store {
namespace {

// A call of a function may take milliseconds of a large value, and counts as one step.
constexpr int kProgressSteps = 250;

constexpr std::array<std::string_view, 3> kViews = {"devices", "heads", "reconciliations"};
constexpr std::array<std::string_view, 3> kBehindViews = {"logs", "peers", "reconciliations"};
// Virtual tables, which live in every schema.
constexpr std::array<std::string_view, 3> kVirtual = {"events", "json_each", "json_tree"};

constexpr std::string_view kFunctions[] = {"->",
                                           "->>",
                                           "abs",
                                           "avg",
                                           "char",
                                           "coalesce",
                                           "count",
                                           "cume_dist",
                                           "date",
                                           "datetime",
                                           "dense_rank",
                                           "ebb_device",
                                           "ebb_hex",
                                           "ebb_log",
                                           "first_value",
                                           "format",
                                           "glob",
                                           "group_concat",
                                           "hex",
                                           "ifnull",
                                           "iif",
                                           "instr",
                                           "json",
                                           "json_array",
                                           "json_array_length",
                                           "json_extract",
                                           "json_group_array",
                                           "json_group_object",
                                           "json_object",
                                           "json_quote",
                                           "json_type",
                                           "json_valid",
                                           "julianday",
                                           "lag",
                                           "last_value",
                                           "lead",
                                           "length",
                                           "like",
                                           "lower",
                                           "ltrim",
                                           "max",
                                           "min",
                                           "nth_value",
                                           "ntile",
                                           "nullif",
                                           "percent_rank",
                                           "printf",
                                           "quote",
                                           "rank",
                                           "replace",
                                           "round",
                                           "row_number",
                                           "rtrim",
                                           "sign",
                                           "strftime",
                                           "substr",
                                           "substring",
                                           "sum",
                                           "time",
                                           "total",
                                           "trim",
                                           "typeof",
                                           "unicode",
                                           "unixepoch",
                                           "upper"};

template <class Names>
bool names(const Names& allowed, std::string_view name) {
  return std::find(std::begin(allowed), std::end(allowed), name) != std::end(allowed);
}

std::string_view text_or_empty(const char* text) { return text == nullptr ? "" : text; }

bool may_read(std::string_view table, std::string_view column, std::string_view schema,
              std::string_view view) {
  if (names(kVirtual, table)) return true;
  // count(*) asks for no column. SQLite then says neither the view nor the schema, or, where it has
  // put the view's query in its place, names the table behind.
  if (column.empty() && (names(kViews, table) || names(kBehindViews, table))) return true;
  if (schema == "temp") return names(kViews, table);
  return names(kViews, view);  // a table behind one of our views
}

int authorize(void* context, int action, const char* first, const char* second, const char* schema,
              const char* view) {
  auto& guard = *static_cast<SqlGuard*>(context);
  if (guard.internal) return SQLITE_OK;
  switch (action) {
    case SQLITE_SELECT:
      return SQLITE_OK;
    case SQLITE_READ:
      return may_read(text_or_empty(first), text_or_empty(second), text_or_empty(schema),
                      text_or_empty(view))
                 ? SQLITE_OK
                 : SQLITE_DENY;
    case SQLITE_FUNCTION:
      if (++guard.calls > limits::kSqlCalls) return SQLITE_DENY;
      return names(kFunctions, text_or_empty(second)) ? SQLITE_OK : SQLITE_DENY;
    default:
      return SQLITE_DENY;
  }
}

int on_progress(void* context) {
  const auto* guard = static_cast<const SqlGuard*>(context);
  return guard->expired && guard->expired() ? 1 : 0;
}

}  // namespace

void harden(sqlite3* db, SqlGuard& guard) {
  struct Limit {
    int what;
    int value;
  };
  constexpr Limit kLimits[] = {
      {SQLITE_LIMIT_LENGTH, static_cast<int>(limits::kSqlValueBytes)},
      {SQLITE_LIMIT_SQL_LENGTH, static_cast<int>(limits::kSqlTextBytes)},
      {SQLITE_LIMIT_COLUMN, 100},
      {SQLITE_LIMIT_EXPR_DEPTH, 50},
      {SQLITE_LIMIT_COMPOUND_SELECT, 5},
      {SQLITE_LIMIT_VDBE_OP, 25000},
      {SQLITE_LIMIT_FUNCTION_ARG, 100},
      {SQLITE_LIMIT_ATTACHED, 0},
      {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 50},
      {SQLITE_LIMIT_VARIABLE_NUMBER, 100},
      {SQLITE_LIMIT_WORKER_THREADS, 0},
  };
  for (const Limit& limit : kLimits)
    sqlite3_limit(db, limit.what, limit.value);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, nullptr);
  sqlite3_progress_handler(db, kProgressSteps, &on_progress, &guard);
  sqlite3_set_authorizer(db, &authorize, &guard);
}

}  // namespace ebb::store
