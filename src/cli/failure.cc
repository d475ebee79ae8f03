#include "cli/failure.h"

#include <ostream>

#include "cli/print.h"

namespace ebb::cli {
namespace {

std::string next_step(ErrorCode code, const std::string& dir) {
  switch (code) {
    case ErrorCode::kNotFound:
      return "make a device with `ebb init`, or name its directory with --dir";
    case ErrorCode::kExists:
      return "use the device that is there, or another directory with --dir";
    case ErrorCode::kPermission:
      return "see to it that " + dir + " is yours alone (chmod -R go= " + dir + ")";
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
  return {.what = error.message(), .next = next_step(error.code, dir)};
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
