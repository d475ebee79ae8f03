#include "store/events_query.h"

#include <sqlite3.h>

#include <algorithm>

namespace ebb::store {
namespace {

// A condition is two characters of the plan: the column as a letter, and one of = < l > g, where l
// and g are <= and >=.
char column_letter(int column) { return static_cast<char>('a' + column); }

// 0: an operator that we do not use.
char operator_letter(unsigned char op) {
  switch (op) {
    case SQLITE_INDEX_CONSTRAINT_EQ:
      return '=';
    case SQLITE_INDEX_CONSTRAINT_LT:
      return '<';
    case SQLITE_INDEX_CONSTRAINT_LE:
      return 'l';
    case SQLITE_INDEX_CONSTRAINT_GT:
      return '>';
    case SQLITE_INDEX_CONSTRAINT_GE:
      return 'g';
    default:
      return 0;
  }
}

// By how much a condition cuts the rows down: a guess that makes SQLite prefer the better plan. 0:
// not used.
int selectivity(EventColumn column, char op) {
  switch (column) {
    case EventColumn::kDevice:
      return op == '=' ? 10 : 0;
    case EventColumn::kTopic:
    case EventColumn::kType:
      return op == '=' ? 4 : 0;
    case EventColumn::kLog:
      return op == '=' ? 100 : 0;
    case EventColumn::kSeq:
    case EventColumn::kTs:
      return op == '=' ? 1000 : 4;
    default:
      return 0;
  }
}

void narrow(std::int64_t& low, std::int64_t& high, char op, std::int64_t value, bool& nothing) {
  if (op == '<' || op == '>') {
    if (value == (op == '<' ? INT64_MIN : INT64_MAX)) {
      nothing = true;
      return;
    }
    value += op == '<' ? -1 : 1;
  }
  if (op == '=' || op == '>' || op == 'g') low = std::max(low, value);
  if (op == '=' || op == '<' || op == 'l') high = std::min(high, value);
}

void require(std::optional<std::string>& wanted, std::string_view value, bool& nothing) {
  if (wanted && *wanted != value) nothing = true;
  wanted = value;
}

std::string_view text_of(sqlite3_value* value) {
  const auto* data = reinterpret_cast<const char*>(sqlite3_value_text(value));
  return {data, static_cast<std::size_t>(sqlite3_value_bytes(value))};
}

}  // namespace

int choose_conditions(sqlite3_index_info* info) {
  std::string plan;
  std::int64_t rows = 1000000;
  for (int i = 0; i < info->nConstraint; ++i) {
    const auto& constraint = info->aConstraint[i];
    const char op = operator_letter(constraint.op);
    if (constraint.usable == 0 || constraint.iColumn < 0 || op == 0) continue;
    const int cut = selectivity(static_cast<EventColumn>(constraint.iColumn), op);
    // Another collation may call texts equal that are different bytes.
    if (cut == 0 || std::string_view(sqlite3_vtab_collation(info, i)) != "BINARY") continue;
    plan += column_letter(constraint.iColumn);
    plan += op;
    info->aConstraintUsage[i].argvIndex = static_cast<int>(plan.size() / 2);
    rows = std::max<std::int64_t>(rows / cut, 1);
  }
  info->estimatedRows = rows;
  info->estimatedCost = static_cast<double>(rows);
  info->idxStr = sqlite3_mprintf("%s", plan.c_str());
  info->needToFreeIdxStr = 1;
  return info->idxStr == nullptr ? SQLITE_NOMEM : SQLITE_OK;
}

bool EventsQuery::takes(const HeadRecord& head) const {
  return (!topic || *topic == head.key.topic) &&
         (!device || *device == device_text(head.key.device)) &&
         (!log || *log == log_text(head.log));
}

EventsQuery read_conditions(const char* conditions, int count, sqlite3_value** values) {
  EventsQuery query;
  for (int i = 0; i < count; ++i, conditions += 2) {
    const auto column = static_cast<EventColumn>(conditions[0] - 'a');
    const char op = conditions[1];
    // A value of another type is compared by SQLite's rules of affinity, which are SQLite's to
    // apply: here it narrows nothing.
    const int type = sqlite3_value_type(values[i]);
    if (column == EventColumn::kSeq || column == EventColumn::kTs) {
      if (type != SQLITE_INTEGER) continue;
      const std::int64_t value = sqlite3_value_int64(values[i]);
      if (column == EventColumn::kSeq) {
        narrow(query.seq_min, query.seq_max, op, value, query.nothing);
      } else {
        narrow(query.filter.ts_min, query.filter.ts_max, op, value, query.nothing);
      }
      continue;
    }
    if (type != SQLITE_TEXT) continue;
    const std::string_view value = text_of(values[i]);
    if (column == EventColumn::kDevice) require(query.device, value, query.nothing);
    if (column == EventColumn::kTopic) require(query.topic, value, query.nothing);
    if (column == EventColumn::kLog) require(query.log, value, query.nothing);
    if (column == EventColumn::kType) require(query.filter.type, value, query.nothing);
  }
  return query;
}

}  // namespace ebb::store
