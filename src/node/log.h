// Structured logs: logfmt on a terminal, one JSON object a line otherwise.
//
// Model:   log(level, event, {{"peer", ...}, {"reconciliation", ...}}): a short stable name and
//          fields, never a formatted sentence. Lines that a peer can cause are limited per name.
// Threads: any thread, after start_logging().
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.h"

namespace ebb::node {

enum class LogLevel { kTrace, kDebug, kInfo, kWarn, kError };

struct LogField {
  std::string_view key;
  std::string value;
};

// `format`: "auto", "logfmt" or "json". Writes to stderr; where that is the file at `bounded_path`
// the file is kept within limits::kLogFileBytes (log_file.h).
Status start_logging(std::string_view level, std::string_view format,
                     const std::string& bounded_path = {});
void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});
// At most 10 lines a second of one event name; what was left out is said in the next line.
void log_limited(LogLevel level, std::string_view event, std::initializer_list<LogField> fields);

}  // namespace ebb::node
