#include "node/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>

#include "core/limits.h"
#include "node/log_file.h"

namespace ebb::node {
namespace {

constexpr std::uint64_t kLinesPerSecond = 10;

struct Allowance {
  std::int64_t second = 0;
  std::uint64_t lines = 0;
  std::uint64_t left_out = 0;
};

// What logging needs beside spdlog's own logger. One for the process, as stderr is.
struct Logging {
  std::mutex mutex;
  bool started = false;
  bool json = false;
  std::optional<LogFile> file;  // under mutex
  std::map<std::string, Allowance, std::less<>> allowances;
};

Logging& logging() {
  static Logging instance;
  return instance;
}

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
      return spdlog::level::trace;
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarn:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

constexpr std::array<std::string_view, 5> kLevelNames{"trace", "debug", "info", "warn", "error"};

std::string_view level_name(LogLevel level) { return kLevelNames[static_cast<std::size_t>(level)]; }

std::string timestamp() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  const std::time_t seconds = static_cast<std::time_t>(ms / 1000);
  std::tm utc{};
  ::gmtime_r(&seconds, &utc);
  std::array<char, 32> text{};
  const std::size_t size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ", static_cast<int>(ms % 1000));
  return std::string(text.data(), size) + fraction.data();
}

// A JSON string; logfmt quotes in the same way.
void append_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(c);
    } else if (byte < 0x20 || byte == 0x7f) {
      std::array<char, 8> escaped{};
      std::snprintf(escaped.data(), escaped.size(), "\\u%04x", static_cast<unsigned>(byte));
      out.append(escaped.data());
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

bool is_plain(std::string_view text) {
  if (text.empty()) return false;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f || c == '"' || c == '=' || c == '\\') return false;
  }
  return true;
}

void append_field(std::string& out, bool json, std::string_view key, std::string_view value) {
  if (json) {
    out.append(out.empty() ? "{" : ",");
    append_quoted(out, key);
    out.push_back(':');
    append_quoted(out, value);
    return;
  }
  if (!out.empty()) out.push_back(' ');
  out.append(key).push_back('=');
  if (is_plain(value)) {
    out.append(value);
  } else {
    append_quoted(out, value);
  }
}

void write_line(LogLevel level, std::string_view event, std::initializer_list<LogField> fields,
                std::uint64_t left_out) {
  const bool json = logging().json;
  std::string line;
  append_field(line, json, "ts", timestamp());
  append_field(line, json, "level", level_name(level));
  append_field(line, json, "event", event);
  for (const LogField& field : fields)
    append_field(line, json, field.key, field.value);
  if (left_out > 0) append_field(line, json, "left_out", std::to_string(left_out));
  if (json) line.push_back('}');
  spdlog::default_logger_raw()->log(spdlog_level(level), spdlog::string_view_t(line));
  const std::lock_guard<std::mutex> lock(logging().mutex);
  if (logging().file) logging().file->wrote(line.size() + 1);
}

bool is_enabled(LogLevel level) {
  return logging().started && spdlog::default_logger_raw()->should_log(spdlog_level(level));
}

// Counts one line of `event` in this second; nullopt: no more of them now. Otherwise how many were
// left out since the last one that was written.
std::optional<std::uint64_t> take_allowance(std::string_view event) {
  const auto since_start = std::chrono::steady_clock::now().time_since_epoch();
  const std::int64_t second = std::chrono::duration_cast<std::chrono::seconds>(since_start).count();
  Logging& state = logging();
  const std::lock_guard<std::mutex> lock(state.mutex);
  Allowance& allowance = state.allowances.try_emplace(std::string(event)).first->second;
  if (allowance.second != second) {
    allowance.second = second;
    allowance.lines = 0;
  }
  if (allowance.lines >= kLinesPerSecond) {
    ++allowance.left_out;
    return std::nullopt;
  }
  ++allowance.lines;
  return std::exchange(allowance.left_out, 0);
}

}  // namespace

Status start_logging(std::string_view level, std::string_view format,
                     const std::string& bounded_path) {
  const auto* name = std::find(kLevelNames.begin(), kLevelNames.end(), level);
  if (name == kLevelNames.end()) {
    return Error{ErrorCode::kInvalidArgument, "log level", std::string(level)};
  }
  if (format != "auto" && format != "logfmt" && format != "json") {
    return Error{ErrorCode::kInvalidArgument, "log format", std::string(format)};
  }
  Logging& state = logging();
  const std::lock_guard<std::mutex> lock(state.mutex);
  state.json = format == "json" || (format == "auto" && ::isatty(STDERR_FILENO) == 0);
  try {
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    auto logger = std::make_shared<spdlog::logger>("ebb", std::move(sink));
    logger->set_pattern("%v");
    logger->set_level(spdlog_level(static_cast<LogLevel>(name - kLevelNames.begin())));
    logger->flush_on(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
  } catch (const spdlog::spdlog_ex& error) {
    return Error{ErrorCode::kIo, "log", error.what()};
  }
  state.file = LogFile::of(bounded_path, {STDOUT_FILENO, STDERR_FILENO}, limits::kLogFileBytes);
  state.started = true;
  return {};
}

void log(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (is_enabled(level)) write_line(level, event, fields, 0);
}

void log_limited(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  if (!is_enabled(level)) return;
  if (const std::optional<std::uint64_t> left_out = take_allowance(event)) {
    write_line(level, event, fields, *left_out);
  }
}

}  // namespace ebb::node
