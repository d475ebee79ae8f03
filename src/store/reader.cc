#include "store/reader.h"
#include "store/authority_table.h"

#include <algorithm>
#include <utility>

#include "store/fold_driver.h"
#include "store/reader_parts.h"
#include "store/schema.h"
#include "store/side_tables.h"
#include "trust/chain.h"

namespace ebb::store {
namespace {

using EntryVisitor = std::function<Status(const state::KeyValue&)>;

// The smallest key above all keys that begin with `prefix`; empty: there is none.
Bytes end_of_prefix(Bytes prefix) {
  while (!prefix.empty() && prefix.back() == 0xff)
    prefix.pop_back();
  if (!prefix.empty()) ++prefix.back();
  return prefix;
}

// So many entries are read between two looks at the time.
constexpr std::uint64_t kEntriesAtOnce = 256;

Status visit_entries(const ReaderParts& parts, const Bytes& prefix, const EntryVisitor& visit) {
  const Connection& connection = *parts.db;
  const Bytes end = end_of_prefix(prefix);
  EBB_ASSIGN(Statement rows, connection.prepare("SELECT key,value FROM state WHERE key>=?1 AND "
                                                "(?2 IS NULL OR key<?2) ORDER BY key"));
  rows.bind(1, ByteView(prefix));
  if (end.empty()) {
    rows.bind_null(2);
  } else {
    rows.bind(2, ByteView(end));
  }
  for (std::uint64_t n = 1;; ++n) {
    if (n % kEntriesAtOnce == 0 && parts.expired && parts.expired()) {
      return Error{ErrorCode::kTooLarge, "time"};
    }
    EBB_ASSIGN(const bool more, rows.step());
    if (!more) return {};
    EBB_RETURN_IF_ERROR(visit({rows.column_blob(0), rows.column_blob(1)}));
  }
}

// In order of log id, so that every node lists the same events in the same order.
std::vector<const LogRow*> by_log_id(const std::vector<LogRow>& rows) {
  std::vector<const LogRow*> ordered;
  ordered.reserve(rows.size());
  for (const LogRow& row : rows)
    ordered.push_back(&row);
  std::sort(ordered.begin(), ordered.end(),
            [](const LogRow* a, const LogRow* b) { return a->head.log < b->head.log; });
  return ordered;
}

}  // namespace

std::optional<ScanFilter> scan_filter(const EventFilter& filter) {
  ScanFilter wanted;
  wanted.type = filter.type;
  if (filter.ts_from) wanted.ts_min = *filter.ts_from;
  if (filter.ts_to) {
    if (*filter.ts_to == INT64_MIN) return std::nullopt;
    wanted.ts_max = *filter.ts_to - 1;
  }
  return wanted;
}

Seq first_wanted(const EventFilter& filter, const LogId& log) {
  const auto after = filter.after.find(log);
  return after == filter.after.end() ? 1 : after->second + 1;
}

void take_event(const EventScan& scan, const LogId& log, EventRow& row) {
  row.dot = {log, scan.seq()};
  row.event = scan.event();
  row.id = row.event.id ? *row.event.id : trust::derived_event_id(row.dot);
}

Status ReaderParts::open(const std::string& given_dir) {
  dir = given_dir;
  const auto known = static_cast<std::int64_t>(migrations().size());
  EBB_ASSIGN(const std::int64_t version, stored_version(dir, known));
  if (version != known) {
    return Error{ErrorCode::kUnsupported, "store format is older; the daemon migrates it"};
  }
  EBB_ASSIGN(db, Connection::open(database_path(dir), Connection::Mode::kReadOnly));
  EBB_RETURN_IF_ERROR(db->run("PRAGMA query_only=1; PRAGMA cache_size=-2048"));
  EBB_ASSIGN(data_version_, db->prepare("PRAGMA data_version"));
  EBB_RETURN_IF_ERROR(segments.open(*db, false));
  return scan.open(*db);
}

Result<const LogTable*> ReaderParts::logs() {
  const ScopedReset reset(data_version_);
  EBB_ASSIGN(const bool found, data_version_.step());
  const std::int64_t version = found ? data_version_.column_int(0) : -1;
  if (version != logs_version_ || version < 0) {
    // Read before the rows: a commit in between then makes the next call read them again.
    logs_version_ = -1;
    LogTable fresh;
    EBB_RETURN_IF_ERROR(fresh.open(*db, false));
    logs_ = std::move(fresh);
    logs_version_ = version;
  }
  return &std::as_const(logs_);
}

bool EventFilter::takes(const HeadRecord& head) const {
  if (data_only && !topic && !log && head.key.topic == kControlTopic) return false;
  return (!topic || *topic == head.key.topic) && (!device || *device == head.key.device) &&
         (!log || *log == head.log);
}

Result<std::unique_ptr<Reader>> Reader::open(const std::string& dir) {
  auto impl = std::make_unique<Impl>();
  EBB_RETURN_IF_ERROR(impl->open(dir));
  return std::unique_ptr<Reader>(new Reader(std::move(impl)));
}

Reader::Reader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reader::~Reader() = default;

Result<std::vector<HeadRecord>> Reader::heads() const {
  EBB_ASSIGN(const LogTable* const logs, impl_->logs());
  std::vector<HeadRecord> out;
  out.reserve(logs->rows().size());
  for (const LogRow& row : logs->rows())
    out.push_back(row.head);
  return out;
}

Result<std::vector<SharedBytes>> Reader::read_segments(const LogId& log, Seq from, Seq to,
                                                       std::size_t bytes_max) const {
  EBB_ASSIGN(const LogTable* const logs, impl_->logs());
  const LogRow* row = logs->find(log);
  if (row == nullptr) return Error{ErrorCode::kNotFound, "log", log_text(log)};
  return impl_->segments.read(*row, from, to, bytes_max);
}

Result<std::vector<Bytes>> Reader::authority() const { return read_authority_records(*impl_->db); }

void Reader::set_expired(std::function<bool()> expired) { impl_->expired = std::move(expired); }

Result<EventsEnd> Reader::events(const EventFilter& filter, std::uint64_t limit,
                                 const std::function<bool(const EventRow&)>& visit) const {
  EBB_ASSIGN(const LogTable* const logs, impl_->logs());
  EventsEnd end;
  EventScan& scan = impl_->scan;
  std::optional<ScanFilter> wanted = scan_filter(filter);
  if (!wanted) return end;
  scan.set_filter(std::move(*wanted));
  bool moved = false;
  scan.set_expired(
      [&] { return std::exchange(moved, true) && impl_->expired && impl_->expired(); });
  std::uint64_t visited = 0;
  EventRow row;
  for (const LogRow* each : by_log_id(logs->rows())) {
    const LogRow& log = *each;
    if (visited == limit) break;
    if (!filter.takes(log.head)) continue;
    const Seq first = first_wanted(filter, log.head.log);
    if (first > log.head.held.seq) continue;
    row.key = log.head.key;
    scan.start(log, first, log.head.held.seq);
    Seq& scanned = end.scanned[log.head.log];
    while (visited < limit) {
      const Result<bool> more = scan.next();
      scanned = std::max(first - 1, scan.seq());
      end.expired = !more.ok() && more.error().code == ErrorCode::kTooLarge;
      if (!more.ok() && !end.expired) return more.error();
      if (!more.ok() || !*more) break;
      take_event(scan, log.head.log, row);
      ++visited;
      if (!visit(row)) limit = visited;
    }
    scan.stop();
    if (end.expired) return end;
    if (visited < limit) scanned = log.head.held.seq;
  }
  return end;
}

Result<SqlResult> Reader::sql(std::string_view statement, const SqlLimits& limits) const {
  if (impl_->sql == nullptr) {
    EBB_ASSIGN(impl_->sql, SqlSession::open(impl_->dir));
  }
  SqlLimits both = limits;
  both.expired = [this, &limits] {
    return (limits.expired && limits.expired()) || (impl_->expired && impl_->expired());
  };
  return impl_->sql->run(statement, both);
}

Result<std::vector<ReconciliationRow>> Reader::reconciliations(std::size_t limit) const {
  return read_reconciliations(*impl_->db, limit);
}

Result<state::Int128> Reader::counter(std::string_view topic, std::string_view name) const {
  std::vector<state::CounterTotal> totals;
  EBB_RETURN_IF_ERROR(visit_entries(*impl_, state::counter_prefix(topic, name),
                                    [&totals](const state::KeyValue& entry) -> Status {
                                      EBB_ASSIGN(const auto total, state::read_counter(entry));
                                      totals.push_back(total);
                                      return {};
                                    }));
  return state::counter_sum(totals);
}

Result<std::vector<std::string>> Reader::set_elements(std::string_view topic,
                                                      std::string_view name) const {
  std::vector<state::SetDot> live;
  EBB_RETURN_IF_ERROR(visit_entries(*impl_, state::set_prefix(topic, name),
                                    [&live](const state::KeyValue& entry) -> Status {
                                      EBB_ASSIGN(auto dot, state::read_set_dot(entry));
                                      live.push_back(std::move(dot));
                                      return {};
                                    }));
  return state::add_wins(live);
}

Result<std::vector<state::CountCell>> Reader::count_cells(std::string_view type) const {
  std::vector<state::CountCell> cells;
  const Bytes prefix = type.empty() ? state::all_counts_prefix() : state::count_prefix(type);
  EBB_RETURN_IF_ERROR(
      visit_entries(*impl_, prefix, [&cells](const state::KeyValue& entry) -> Status {
        EBB_ASSIGN(auto cell, state::read_count_cell(entry));
        cells.push_back(std::move(cell));
        return {};
      }));
  return cells;
}

Result<Hash> Reader::stored_digest() const {
  const auto fold = new_fold();
  // Entries and mark of one moment.
  EBB_RETURN_IF_ERROR(impl_->db->run("BEGIN"));
  const Status loaded = load_state(*impl_->db, *fold);
  EBB_RETURN_IF_ERROR(impl_->db->run("COMMIT"));
  if (!loaded.ok()) return loaded.error();
  return fold->digest();
}

Result<VersionVector> Reader::mark() const {
  VersionVector mark;
  EBB_ASSIGN(Statement rows, impl_->db->prepare("SELECT log,seq,chain FROM mark"));
  for (;;) {
    EBB_ASSIGN(const bool more, rows.step());
    if (!more) return mark;
    EBB_ASSIGN(const LogId log, column_fixed<LogId>(rows, 0));
    EBB_ASSIGN(const Hash chain, column_fixed<Hash>(rows, 2));
    mark.set(log, {rows.column_u64(1), chain});
  }
}

}  // namespace ebb::store
