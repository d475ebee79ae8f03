#include "store/sql_guard.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "core/ids.h"
#include "core/limits.h"
#include "store/sqlite.h"

namespace ebb::store {
namespace {

constexpr int kProgressSteps = 4000;

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
  if (static_cast<SqlGuard*>(context)->internal) return SQLITE_OK;
  switch (action) {
    case SQLITE_SELECT:
      return SQLITE_OK;
    case SQLITE_READ:
      return may_read(text_or_empty(first), text_or_empty(second), text_or_empty(schema),
                      text_or_empty(view))
                 ? SQLITE_OK
                 : SQLITE_DENY;
    case SQLITE_FUNCTION:
      return names(kFunctions, text_or_empty(second)) ? SQLITE_OK : SQLITE_DENY;
    default:
      return SQLITE_DENY;
  }
}

int on_progress(void* context) {
  const auto* guard = static_cast<const SqlGuard*>(context);
  return guard->expired && guard->expired() ? 1 : 0;
}

ByteView value_bytes(sqlite3_value* value) {
  const auto* data = static_cast<const std::uint8_t*>(sqlite3_value_blob(value));
  const int size = sqlite3_value_bytes(value);
  if (data == nullptr || size <= 0) return {};
  return {data, static_cast<std::size_t>(size)};
}

void result_text(sqlite3_context* context, std::string_view text) {
  sqlite3_result_text64(context, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

// NULL for anything that is not such an id.
void device_function(sqlite3_context* context, int, sqlite3_value** arguments) {
  const auto device = DeviceId::from(value_bytes(arguments[0]));
  if (device) result_text(context, device_text(*device));
}

void log_function(sqlite3_context* context, int, sqlite3_value** arguments) {
  const auto log = LogId::from(value_bytes(arguments[0]));
  if (log) result_text(context, log_text(*log));
}

void hex_function(sqlite3_context* context, int, sqlite3_value** arguments) {
  if (sqlite3_value_type(arguments[0]) == SQLITE_NULL) return;
  result_text(context, to_hex(value_bytes(arguments[0])));
}

}  // namespace

Status add_functions(sqlite3* db) {
  struct Function {
    const char* name;
    void (*call)(sqlite3_context*, int, sqlite3_value**);
  };
  constexpr Function kOwn[] = {
      {"ebb_device", &device_function}, {"ebb_log", &log_function}, {"ebb_hex", &hex_function}};
  for (const Function& function : kOwn) {
    const int rc = sqlite3_create_function_v2(db, function.name, 1,
                                              SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS,
                                              nullptr, function.call, nullptr, nullptr, nullptr);
    if (rc != SQLITE_OK) return sqlite_error(rc, db, "registering a function");
  }
  return {};
}

void harden(sqlite3* db, SqlGuard& guard) {
  struct Limit {
    int what;
    int value;
  };
  constexpr Limit kLimits[] = {
      {SQLITE_LIMIT_LENGTH, static_cast<int>(limits::kSqlResultBytes)},
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
