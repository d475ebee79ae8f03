// EventsQuery: the conditions of one pass over `events`, as far as they can be used.
//
// Threads: values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/ids.h"
#include "store/event_scan.h"
#include "store/log_table.h"

struct sqlite3_index_info;
struct sqlite3_value;

namespace ebb::store {

// Columns of the table, in order.
enum class EventColumn : int {
  kDevice = 0,
  kIncarnation,
  kTopic,
  kSeq,
  kTs,
  kHlc,
  kType,
  kSource,
  kSchema,
  kPayload,
  kId,
  kLog,
  kTsCorrected,
  kSuspect,
};
inline constexpr const char* kEventsDeclaration =
    "CREATE TABLE events(device TEXT, incarnation TEXT, topic TEXT, seq INTEGER, ts INTEGER, "
    "hlc INTEGER, type TEXT, source TEXT, schema INTEGER, payload TEXT, id TEXT, log TEXT, "
    "ts_corrected INTEGER, suspect INTEGER)";

// xBestIndex: takes the conditions that we can use and says what they are worth.
int choose_conditions(sqlite3_index_info* info);

struct EventsQuery {
  std::optional<std::string> device;
  std::optional<std::string> topic;
  std::optional<std::string> log;
  std::int64_t seq_min = 1;
  std::int64_t seq_max = INT64_MAX;
  ScanFilter filter;
  bool nothing = false;  // conditions that exclude each other

  bool takes(const HeadRecord& head) const;
};

// The conditions that choose_conditions took, with their values.
EventsQuery read_conditions(const char* conditions, int count, sqlite3_value** values);

}  // namespace ebb::store
