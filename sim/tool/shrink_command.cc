// Makes a failing run small, and the files that go with it.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <ostream>
#include <system_error>

#include "cli/progress.h"
#include "sim/shrink.h"
#include "sim/tool/commands.h"
#include "sim/tool/one_run.h"
#include "sim/tool/schedule_file.h"

namespace ebb::sim_tool {
namespace {

using cli::ExitCode;
using cli::Failure;

constexpr std::uintmax_t kFileBytes = std::uintmax_t{64} << 20;

std::string size_text(const sim::Schedule& schedule) {
  std::size_t classes = 0;
  for (const bool enabled : schedule.options.enabled)
    classes += enabled ? 1 : 0;
  return std::to_string(schedule.faults.size()) + " planned faults of " + std::to_string(classes) +
         " classes, " + std::to_string(schedule.options.nodes) + " nodes, " +
         std::to_string(schedule.options.chaos.ms()) + " ms";
}

}  // namespace

cli::Outcome<std::string> read_text(const std::string& path) {
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  if (error) return cli::usage_failure("cannot read " + path + ": " + error.message());
  if (bytes > kFileBytes) return cli::usage_failure(path + " has more than 64 MiB");
  std::ifstream in(path, std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  if (!in.good() && !in.eof()) return cli::usage_failure("cannot read " + path);
  return text;
}

cli::Outcome<bool> write_text(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) return Failure{.what = "cannot write " + path};
  return true;
}

cli::Outcome<sim::Schedule> schedule_of_file(const std::string& path) {
  EBB_ASSIGN(const std::string text, read_text(path));
  const Result<ScheduleFile> file = read_schedule(text, path);
  if (!file) return cli::usage_failure(file.error().detail);
  return file->schedule;
}

Exit shrink_schedule(const sim::Schedule& schedule, const std::string& what,
                     const ShrinkFlags& flags, const cli::Terminal& terminal) {
  Result<RunResult> seen = run_apart(schedule);
  if (!seen) return Failure{.what = seen.error().message()};
  if (seen->good) {
    return Failure{.what = what + " is good: there is nothing to shrink",
                   .next = "name a run that fails; `ebb-sim --seeds N` looks for one"};
  }
  const std::string failure = seen->failure;
  terminal.err << what << " fails: " << failure << "; from " << size_text(schedule) << '\n'
               << std::flush;
  cli::Progress progress(terminal.err, terminal.err_is_terminal, "shrinking",
                         [](std::uint64_t count) { return std::to_string(count) + " tries"; });
  Error trouble;
  bool stuck = false;
  const auto fails = [&](const sim::Schedule& candidate) {
    if (stuck) return false;
    Result<RunResult> result = run_apart(candidate);
    if (!result) {
      stuck = true;
      trouble = result.error();
      return false;
    }
    if (result->failure != failure) return false;
    seen = std::move(result);
    return true;
  };
  const sim::Shrunk shrunk = sim::shrink(
      schedule, fails,
      {.tries_max = flags.tries,
       .progress = [&](std::uint64_t tries, const sim::Schedule&) { progress.update(tries, 0); }});
  progress.clear();
  if (stuck) return Failure{.what = trouble.message()};
  terminal.err << "to " << size_text(shrunk.schedule) << ", in " << shrunk.tries << " tries"
               << (shrunk.finished ? "" : "; --tries N allows more") << '\n';
  const std::string text = write_schedule({shrunk.schedule, {failure, seen->trace}});
  if (flags.out.empty()) {
    terminal.out << text << std::flush;
    return ExitCode::kOk;
  }
  const auto written = write_text(flags.out, text);
  if (!written.ok()) return written.error();
  terminal.err << "replay: ebb-sim replay " << flags.out << '\n' << std::flush;
  return ExitCode::kOk;
}

}  // namespace ebb::sim_tool
