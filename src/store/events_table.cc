#include "store/events_table.h"

#include <sqlite3.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "codec/value.h"
#include "store/event_scan.h"
#include "store/events_query.h"
#include "store/segment_table.h"
#include "trust/chain.h"

namespace ebb::store {
namespace {

// What an offset may be at most, so that no sum leaves what fits: 48 bits, as those of a stamp.
constexpr std::int64_t kOffsetMax = std::int64_t{1} << 48;

struct TableHandle : sqlite3_vtab {
  EventsTable* table;
};

// One pass over the table. SQLite owns it through the base, which must come first.
class Cursor : public sqlite3_vtab_cursor {
 public:
  explicit Cursor(EventsTable& table) : sqlite3_vtab_cursor{}, table_(table) {}

  Status filter(EventsQuery query);
  Status next();
  bool at_end() const { return at_end_; }
  std::int64_t rowid() const { return segment_rowid(log_->n, scan_.seq()); }
  void column(sqlite3_context* context, EventColumn column);
  Result<std::int64_t> corrected_ts();

 private:
  Status enter_log();

  EventsTable& table_;
  EventScan scan_;
  bool prepared_ = false;
  EventsQuery query_;
  const LogTable* logs_ = nullptr;
  std::size_t next_log_ = 0;
  const LogRow* log_ = nullptr;
  std::string device_, incarnation_, log_text_;  // of the log in hand
  bool at_end_ = true;
};

std::string incarnation_text(Incarnation incarnation) {
  Bytes bytes;
  append_be64(bytes, incarnation);
  return to_hex(bytes);
}

Status Cursor::filter(EventsQuery query) {
  const InternalScope internal(table_.guard());
  if (!prepared_) {
    EBB_RETURN_IF_ERROR(scan_.open(table_.connection()));
    scan_.set_expired([this] {
      const SqlGuard& guard = table_.guard();
      return guard.expired && guard.expired();
    });
    prepared_ = true;
  }
  EBB_ASSIGN(logs_, table_.logs());
  query_ = std::move(query);
  scan_.set_filter(query_.filter);
  next_log_ = query_.nothing ? logs_->rows().size() : 0;
  log_ = nullptr;
  at_end_ = false;
  return next();
}

Status Cursor::next() {
  const InternalScope internal(table_.guard());
  for (;;) {
    if (log_ != nullptr) {
      EBB_ASSIGN(const bool found, scan_.next());
      if (found) return {};
    }
    EBB_RETURN_IF_ERROR(enter_log());
    if (at_end_) return {};
  }
}

Status Cursor::enter_log() {
  const std::vector<LogRow>& rows = logs_->rows();
  for (; next_log_ < rows.size(); ++next_log_) {
    const LogRow& row = rows[next_log_];
    const auto held = static_cast<std::int64_t>(row.head.held.seq);
    if (held < query_.seq_min || query_.seq_max < 1 || query_.seq_min > query_.seq_max) continue;
    if (!query_.takes(row.head)) continue;
    ++next_log_;
    log_ = &row;
    device_ = device_text(row.head.key.device);
    incarnation_ = incarnation_text(row.head.key.incarnation);
    log_text_ = log_text(row.head.log);
    scan_.start(row, static_cast<Seq>(query_.seq_min), static_cast<Seq>(query_.seq_max));
    return {};
  }
  scan_.stop();
  log_ = nullptr;
  at_end_ = true;
  return {};
}

void result_text(sqlite3_context* context, std::string_view text) {
  const char* data = text.empty() ? "" : text.data();
  sqlite3_result_text64(context, data, text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
}

void result_int(sqlite3_context* context, std::uint64_t value) {
  sqlite3_result_int64(context, static_cast<std::int64_t>(value));
}

void result_payload(sqlite3_context* context, ByteView payload) {
  const auto json = codec::to_json(payload);
  if (!json.ok()) {
    sqlite3_result_error_code(context, SQLITE_CORRUPT);
    return;
  }
  result_text(context, *json);
}

void Cursor::column(sqlite3_context* context, EventColumn column) {
  const codec::EventView& event = scan_.event();
  switch (column) {
    case EventColumn::kDevice:
      return result_text(context, device_);
    case EventColumn::kIncarnation:
      return result_text(context, incarnation_);
    case EventColumn::kTopic:
      return result_text(context, log_->head.key.topic);
    case EventColumn::kSeq:
      return result_int(context, scan_.seq());
    case EventColumn::kTs:
      return sqlite3_result_int64(context, event.effective_ts_ms());
    case EventColumn::kHlc:
      return result_int(context, event.hlc.value);
    case EventColumn::kType:
      return result_text(context, event.type);
    case EventColumn::kSource:
      if (event.source) result_text(context, *event.source);
      return;
    case EventColumn::kSchema:
      return result_int(context, event.schema);
    case EventColumn::kPayload:
      return result_payload(context, event.payload);
    case EventColumn::kId: {
      const Dot dot{log_->head.log, scan_.seq()};
      return result_text(context, uuid_text(event.id ? *event.id : trust::derived_event_id(dot)));
    }
    case EventColumn::kLog:
      return result_text(context, log_text_);
    case EventColumn::kSuspect:
      return sqlite3_result_int(context, event.suspect_time() ? 1 : 0);
    case EventColumn::kTsCorrected:
      return;  // corrected_ts(), which may fail
  }
}

// A time that the event brought along is its own; only that of the stamp can be mended.
Result<std::int64_t> Cursor::corrected_ts() {
  const codec::EventView& event = scan_.event();
  if (event.ts_ms) return *event.ts_ms;
  const InternalScope internal(table_.guard());
  EBB_ASSIGN(const ClockFixes* const fixes, table_.clock_fixes());
  const ClockFixes::Ranges* ranges = fixes->of(log_->head.log);
  const std::int64_t stamped = event.hlc.wall().ms;
  if (ranges == nullptr) return stamped;
  return stamped + std::clamp(ranges->offset_ms(scan_.seq()), -kOffsetMax, kOffsetMax);
}

int report(sqlite3_vtab_cursor* cursor, const Status& status) {
  if (status.ok()) return SQLITE_OK;
  const Error& error = status.error();
  if (error.code == ErrorCode::kTooLarge) return SQLITE_INTERRUPT;
  sqlite3_free(cursor->pVtab->zErrMsg);
  cursor->pVtab->zErrMsg = sqlite3_mprintf("%s", error.message().c_str());
  return error.code == ErrorCode::kIo ? SQLITE_IOERR : SQLITE_CORRUPT;
}

Cursor& cursor_of(sqlite3_vtab_cursor* base) { return *static_cast<Cursor*>(base); }

int x_connect(sqlite3* db, void* context, int, const char* const*, sqlite3_vtab** out, char**) {
  const int rc = sqlite3_declare_vtab(db, kEventsDeclaration);
  if (rc != SQLITE_OK) return rc;
  sqlite3_vtab_config(db, SQLITE_VTAB_INNOCUOUS);
  auto handle = std::make_unique<TableHandle>();
  handle->table = static_cast<EventsTable*>(context);
  *out = handle.release();
  return SQLITE_OK;
}

int x_best_index(sqlite3_vtab*, sqlite3_index_info* info) { return choose_conditions(info); }

int x_disconnect(sqlite3_vtab* base) {
  delete static_cast<TableHandle*>(base);
  return SQLITE_OK;
}

int x_open(sqlite3_vtab* base, sqlite3_vtab_cursor** out) {
  *out = std::make_unique<Cursor>(*static_cast<TableHandle*>(base)->table).release();
  return SQLITE_OK;
}

int x_close(sqlite3_vtab_cursor* base) {
  delete static_cast<Cursor*>(base);
  return SQLITE_OK;
}

int x_filter(sqlite3_vtab_cursor* base, int, const char* conditions, int count,
             sqlite3_value** values) {
  return report(base, cursor_of(base).filter(read_conditions(conditions, count, values)));
}

int x_next(sqlite3_vtab_cursor* base) { return report(base, cursor_of(base).next()); }

int x_eof(sqlite3_vtab_cursor* base) { return cursor_of(base).at_end() ? 1 : 0; }

int x_column(sqlite3_vtab_cursor* base, sqlite3_context* context, int column) {
  if (static_cast<EventColumn>(column) == EventColumn::kTsCorrected) {
    const Result<std::int64_t> ts = cursor_of(base).corrected_ts();
    if (!ts.ok()) return report(base, ts.error());
    sqlite3_result_int64(context, *ts);
    return SQLITE_OK;
  }
  cursor_of(base).column(context, static_cast<EventColumn>(column));
  return SQLITE_OK;
}

int x_rowid(sqlite3_vtab_cursor* base, sqlite3_int64* out) {
  *out = cursor_of(base).rowid();
  return SQLITE_OK;
}

// Without xCreate: the table exists by its name alone and nothing of it is stored.
sqlite3_module make_module() {
  sqlite3_module module{};
  module.xConnect = &x_connect;
  module.xBestIndex = &x_best_index;
  module.xDisconnect = &x_disconnect;
  module.xOpen = &x_open;
  module.xClose = &x_close;
  module.xFilter = &x_filter;
  module.xNext = &x_next;
  module.xEof = &x_eof;
  module.xColumn = &x_column;
  module.xRowid = &x_rowid;
  return module;
}

}  // namespace

Status EventsTable::add_module() {
  static const sqlite3_module kModule = make_module();
  const int rc = sqlite3_create_module_v2(connection_.handle(), "events", &kModule, this, nullptr);
  if (rc != SQLITE_OK) return sqlite_error(rc, connection_.handle(), "registering events");
  return {};
}

Result<const ClockFixes*> EventsTable::clock_fixes() {
  if (clock_fixes_ == nullptr) {
    EBB_ASSIGN(const LogTable* const known, logs());
    auto fresh = std::make_unique<ClockFixes>();
    EBB_RETURN_IF_ERROR(fresh->load(connection_, *known, guard_.expired));
    clock_fixes_ = std::move(fresh);
  }
  return std::as_const(clock_fixes_).get();
}

Result<const LogTable*> EventsTable::logs() {
  if (logs_ == nullptr) {
    auto fresh = std::make_unique<LogTable>();
    EBB_RETURN_IF_ERROR(fresh->open(connection_, false));
    logs_ = std::move(fresh);
  }
  return std::as_const(logs_).get();
}

}  // namespace ebb::store
