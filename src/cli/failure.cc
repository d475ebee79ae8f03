#include "cli/failure.h"

#include <ostream>
#include <string_view>

#include "cli/print.h"
#include "core/data_directory.h"

namespace ebb::cli {
namespace {

// "create directory: /proc/x: No such file or directory": without the code, which is for programs.
std::string words_of(const Error& error) {
  if (speaks_for_itself(error)) return error.detail;
  std::string text(error.context);
  if (!error.detail.empty()) text.append(text.empty() ? "" : ": ").append(error.detail);
  return text.empty() ? error.message() : text;
}

std::string next_step(const Error& error, const std::string& dir) {
  const bool of_files = error.context.find("file") != std::string_view::npos ||
                        error.context.find("directory") != std::string_view::npos;
  if (of_files && error.code != ErrorCode::kDiskFull) {
    return "see that you may write to " + dir + ", or name another directory with --dir";
  }
  switch (error.code) {
    case ErrorCode::kNotFound:
      return "make a device with `ebb init`, or name its directory with --dir";
    case ErrorCode::kBusy:
      return "wait for the other program, or stop it with `ebb down`";
    case ErrorCode::kDiskFull:
      return "free some space and try again";
    case ErrorCode::kCorrupt:
      return "`ebb verify` says what is damaged; keep a copy of " + dir + " before any repair";
    default:
      return {};
  }
}

}  // namespace

Failure failure_of(const Error& error, const std::string& dir) {
  const bool told = speaks_for_itself(error) || error.context == "address is not loopback";
  return {.exit = blames_flag(error) ? ExitCode::kUsage : ExitCode::kFailed,
          .what = words_of(error),
          .next = told ? "" : next_step(error, dir)};
}

Failure usage_failure(std::string what, std::string next) {
  return {.exit = ExitCode::kUsage, .what = std::move(what), .next = std::move(next)};
}

void print_failure(std::ostream& err, const Failure& failure, std::string_view program) {
  err << program << ": " << escape_text(failure.what) << '\n';
  if (!failure.why.empty()) err << "  why:  " << escape_text(failure.why) << '\n';
  if (!failure.next.empty()) err << "  next: " << escape_text(failure.next) << '\n';
  err.flush();
}

}  // namespace ebb::cli
