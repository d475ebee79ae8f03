#include "node/log.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "core/limits.h"
#include "node/files.h"
#include "tests/temp_dir.h"

namespace {

using ebb::node::log;
using ebb::node::log_limited;
using ebb::node::LogLevel;
using ebb::tests::TempDir;

// Sends standard error to a file while it lives, and logging with it; then lets logging be silent.
class CapturedLog {
 public:
  // With `bytes` the file has so many already, and is kept within its bound.
  CapturedLog(std::string_view level, std::string_view format, std::size_t bytes = 0) {
    const int file = ::open(path_.c_str(), O_WRONLY | O_CREAT, 0600);
    saved_ = ::dup(STDERR_FILENO);
    ::dup2(file, STDERR_FILENO);
    ::close(file);
    if (bytes > 0) std::filesystem::resize_file(path_, bytes);
    started_ = ebb::node::start_logging(level, format, bytes > 0 ? path_ : "").ok();
  }
  ~CapturedLog() {
    restore();
    // No other test shall print; errors are all that is left.
    const ebb::Status quiet = ebb::node::start_logging("error", "logfmt");
    static_cast<void>(quiet);
  }
  CapturedLog(const CapturedLog&) = delete;
  CapturedLog& operator=(const CapturedLog&) = delete;
  bool started() const { return started_; }
  std::vector<std::string> lines() {
    restore();
    std::vector<std::string> lines;
    std::string text = ebb::node::read_file(path_, 1 << 20).value();
    while (!text.empty()) {
      const std::size_t end = text.find('\n');
      lines.push_back(text.substr(0, end));
      text.erase(0, end + 1);
    }
    return lines;
  }

 private:
  void restore() {
    if (saved_ < 0) return;
    ::dup2(saved_, STDERR_FILENO);
    ::close(saved_);
    saved_ = -1;
  }
  TempDir dir_;
  std::string path_ = dir_ / "log";
  int saved_ = -1;
  bool started_ = false;
};

bool ends_with(const std::string& line, std::string_view tail) {
  CAPTURE(line);
  return line.ends_with(tail);
}

}  // namespace

TEST_CASE("logfmt quotes what has to be quoted") {
  CapturedLog captured("info", "logfmt");
  REQUIRE(captured.started());
  log(LogLevel::kInfo, "link_up", {{"peer", "abc"}, {"text", "two \"words\"\n"}, {"none", ""}});
  const auto lines = captured.lines();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].starts_with("ts="));
  CHECK(ends_with(lines[0],
                  "level=info event=link_up peer=abc "
                  "text=\"two \\\"words\\\"\\u000a\" none=\"\""));
}

TEST_CASE("json is one object a line") {
  CapturedLog captured("debug", "json");
  REQUIRE(captured.started());
  log(LogLevel::kDebug, "tick", {{"reason", "a\\b"}});
  const auto lines = captured.lines();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].starts_with("{\"ts\":\"20"));
  CHECK(ends_with(lines[0], "\"level\":\"debug\",\"event\":\"tick\",\"reason\":\"a\\\\b\"}"));
}

TEST_CASE("lines below the level are left out") {
  CapturedLog captured("warn", "logfmt");
  REQUIRE(captured.started());
  log(LogLevel::kInfo, "quiet");
  log(LogLevel::kWarn, "loud");
  const auto lines = captured.lines();
  REQUIRE(lines.size() == 1);
  CHECK(ends_with(lines[0], "level=warn event=loud"));
}

TEST_CASE("a name that comes too often is limited, others are not") {
  CapturedLog captured("info", "logfmt");
  REQUIRE(captured.started());
  for (int i = 0; i < 1000; ++i)
    log_limited(LogLevel::kWarn, "flood", {});
  log_limited(LogLevel::kWarn, "drop", {});
  const auto lines = captured.lines();
  const auto flood = std::count_if(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("event=flood") != std::string::npos;
  });
  CHECK(flood >= 10);
  // A second may end while the loop runs, but not ten of them.
  CHECK(flood <= 100);
  CHECK(ends_with(lines.back(), "event=drop"));
}

TEST_CASE("an unknown level or format is refused") {
  CHECK_FALSE(ebb::node::start_logging("loud", "json").ok());
  CHECK_FALSE(ebb::node::start_logging("info", "xml").ok());
}

TEST_CASE("a log that is at its bound goes on in a new file") {
  CapturedLog captured("info", "logfmt", ebb::limits::kLogFileBytes);
  REQUIRE(captured.started());
  log(LogLevel::kInfo, "after");
  const std::vector<std::string> lines = captured.lines();
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find("event=after") != std::string::npos);
}
