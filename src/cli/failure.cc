#include "cli/failure.h"

#include <ostream>
#include <string_view>

#include "cli/print.h"
#include "core/data_directory.h"
#include "core/error_words.h"

namespace ebb::cli {
namespace {

std::string words_of(const Error& error) {
  return speaks_for_itself(error) ? error.detail : error_words(error);
}

// A file could not be used, whatever is in it.
bool is_of_files(const Error& error) {
  const bool named = error.context.find("file") != std::string_view::npos ||
                     error.context.find("directory") != std::string_view::npos;
  return named && (error.code == ErrorCode::kNotFound || error.code == ErrorCode::kPermission ||
                   error.code == ErrorCode::kExists || error.code == ErrorCode::kIo);
}

std::string next_step(const Error& error, const Place& place) {
  if (error.context.starts_with("mesh file")) return "name the file that `ebb mesh export` wrote";
  if (is_of_files(error)) {
    return "see that you may write to " + place.dir + ", or name another directory with --dir";
  }
  switch (error.code) {
    case ErrorCode::kNotFound:
      return "make a device with " + place.command("init") + ", or name its directory with --dir";
    case ErrorCode::kBusy:
      return "wait for the other program, or stop it with " + place.command("down");
    case ErrorCode::kDiskFull:
      return "free some space and try again";
    case ErrorCode::kCorrupt:
      return place.command("verify") + " says what is damaged; keep a copy of " + place.dir +
             " before any repair";
    default:
      return {};
  }
}

}  // namespace

std::string Place::command(std::string_view words) const { return ebb_command(words, named); }

Failure failure_of(const Error& error, const Place& place) {
  const bool told = speaks_for_itself(error);
  return {.exit = blames_flag(error) ? ExitCode::kUsage : ExitCode::kFailed,
          .what = words_of(error),
          .next = told ? "" : next_step(error, place)};
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
