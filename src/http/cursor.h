// Cursor: how far a client has read, as text it hands back.
//
// Model:   a list of dots, "log:seq,log:seq", at most one a log, in order of log: everything at or
//          before these positions was read. One dot is a cursor too.
// Errors:  kInvalidArgument, kTooLarge.
// Limits:  kHttpCursorLogs.
// Threads: pure functions; any thread.
// Spec:    docs/api.md
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/ids.h"
#include "core/result.h"

namespace ebb::http {

using Positions = std::map<LogId, Seq>;

Result<Positions> parse_cursor(std::string_view text);
std::string cursor_text(const Positions& positions);

}  // namespace ebb::http
