#include "http/cursor.h"

#include "core/limits.h"

namespace ebb::http {

Result<Positions> parse_cursor(std::string_view text) {
  Positions positions;
  while (!text.empty()) {
    const std::size_t end = text.find(',');
    const auto dot = parse_dot(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    if (!dot) return Error{ErrorCode::kInvalidArgument, "has to be dots, log:seq,log:seq"};
    if (!positions.emplace(dot->log, dot->seq).second) {
      return Error{ErrorCode::kInvalidArgument, "names a log twice", log_text(dot->log)};
    }
    if (positions.size() > limits::kHttpCursorLogs) {
      return Error{ErrorCode::kTooLarge, "cursor",
                   "more than " + std::to_string(limits::kHttpCursorLogs) + " logs"};
    }
  }
  return positions;
}

std::string cursor_text(const Positions& positions) {
  std::string text;
  for (const auto& [log, seq] : positions) {
    if (!text.empty()) text.push_back(',');
    text.append(dot_text({log, seq}));
  }
  return text;
}

}  // namespace ebb::http
