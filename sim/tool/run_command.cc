// Runs of seeds and of files.
#include <unistd.h>

#include <algorithm>
#include <map>
#include <memory>
#include <ostream>
#include <string_view>
#include <utility>

#include "cli/progress.h"
#include "cli/suggest.h"
#include "sim/planted_bugs.h"
#include "sim/scenarios.h"
#include "sim/tool/children.h"
#include "sim/tool/commands.h"
#include "sim/tool/one_run.h"
#include "sim/tool/schedule_file.h"
#include "sim/tool/scratch.h"

namespace ebb::sim_tool {
namespace {

using cli::ExitCode;
using cli::Failure;

Failure failure(const Error& error) { return Failure{.what = error.message()}; }

void print_options(const sim::Options& options, std::ostream& out) {
  out << "seed: " << options.seed << '\n';
  for (const auto& [name, value] : describe(options))
    out << "  " << name << ": " << value << '\n';
}

// What is known of the run even when it crashed: how to see it again.
std::string replay_of(const sim::Options& options, const RunResult& result) {
  const std::string line = replay_line(options);
  if (result.failure != "crash" || line.empty()) return {};
  return "replay: " + line + '\n';
}

Exit run_one(const sim::Schedule& schedule, bool trace, std::ostream& out) {
  sim::Trace::Lines lines;
  if (trace) lines = [&out](const std::string& line) { out << line << '\n'; };
  const Result<RunResult> result =
      trace ? run_here(schedule, std::move(lines)) : run_apart(schedule);
  if (!result) return failure(result.error());
  out << result->text << replay_of(schedule.options, *result) << std::flush;
  return result->good ? ExitCode::kOk : ExitCode::kFailed;
}

// Many seeds, several at a time; lines come out in the order of the seeds.
class Seeds {
 public:
  Seeds(const RunFlags& flags, const cli::Terminal& terminal)
      : flags_(flags),
        out_(terminal.out),
        progress_(terminal.err, terminal.err_is_terminal, "seeds",
                  [](std::uint64_t count) { return std::to_string(count); }) {}

  Exit run() {
    const std::uint64_t jobs = flags_.jobs == 0 ? cores() : flags_.jobs;
    for (std::uint64_t next = 0; next < flags_.seeds || children_.running() > 0;) {
      if (next < flags_.seeds && children_.running() < jobs) {
        Exit started = start(flags_.seed + next++);
        if (!started.ok()) return started;
        continue;
      }
      progress_.update(done_, flags_.seeds);
      finish(*children_.next());
    }
    progress_.clear();
    summarise();
    return bad_ == 0 ? ExitCode::kOk : ExitCode::kFailed;
  }

 private:
  struct Work {
    sim::Options options;
    std::unique_ptr<Scratch> scratch;
  };

  Exit start(std::uint64_t seed) {
    EBB_ASSIGN(sim::Options options, options_of(flags_, seed));
    Work work{std::move(options), std::make_unique<Scratch>()};
    if (!work.scratch->made()) return Failure{.what = "cannot make " + work.scratch->path()};
    const auto schedule = schedule_of(work.options);
    const Status started =
        children_.start(seed, [&] { return run_as_child(schedule, work.scratch->path()); });
    if (!started) return failure(started.error());
    work_.emplace(seed, std::move(work));
    return ExitCode::kOk;
  }

  void finish(const ChildResult& child) {
    const RunResult result = result_of_child(child);
    const auto work = work_.find(child.task);
    ++done_;
    bad_ += result.good ? 0 : 1;
    events_ += result.events;
    faults_ += result.faults;
    virtual_ms_ += result.virtual_ms;
    std::string text = "seed " + std::to_string(child.task) + ": ";
    if (result.good) {
      text += "good, " + std::to_string(result.events) + " events, " +
              std::to_string(result.faults) + " faults\n";
    } else {
      text +=
          "BAD (" + result.failure + ")\n" + result.text + replay_of(work->second.options, result);
    }
    work_.erase(work);
    texts_.emplace(child.task, std::move(text));
    print_in_order();
  }

  void print_in_order() {
    while (!texts_.empty() && texts_.begin()->first == flags_.seed + printed_) {
      progress_.clear();
      out_ << texts_.begin()->second << std::flush;
      texts_.erase(texts_.begin());
      ++printed_;
    }
  }

  void summarise() {
    out_ << flags_.seeds << " seeds: " << flags_.seeds - bad_ << " good, " << bad_ << " bad; "
         << events_ << " events, " << faults_ << " faults, " << virtual_ms_ / 1000
         << " s of virtual time\n"
         << std::flush;
  }

  const RunFlags& flags_;
  std::ostream& out_;
  cli::Progress progress_;
  std::map<std::uint64_t, Work> work_;
  std::map<std::uint64_t, std::string> texts_;  // of seeds that ended before their turn
  std::uint64_t done_ = 0, printed_ = 0, bad_ = 0;
  std::uint64_t events_ = 0, faults_ = 0, virtual_ms_ = 0;
  Children children_;  // last: they end before their directories go
};

using Named = std::pair<std::string_view, std::string_view>;

constexpr std::string_view kNoBugs = "this build has no planted bugs: -Dplanted_bugs=true has them";

Exit print_list(const std::vector<Named>& list, const cli::Terminal& terminal) {
  std::size_t widest = 0;
  for (const auto& [name, what] : list)
    widest = std::max(widest, name.size());
  for (const auto& [name, what] : list)
    terminal.out << name << std::string(widest + 2 - name.size(), ' ') << what << '\n';
  return ExitCode::kOk;
}

cli::Outcome<Bug> bug_of(const RunFlags& flags) {
  if (flags.bug.empty()) return Bug::kNone;
  if (!kBugsArePlanted) return cli::usage_failure(std::string(kNoBugs));
  if (const auto bug = sim::bug_named(flags.bug)) return *bug;
  return cli::usage_failure("unknown bug " + flags.bug, "`ebb-sim bugs` lists what there is");
}

}  // namespace

std::uint64_t cores() {
  const long count = sysconf(_SC_NPROCESSORS_ONLN);
  return count > 0 ? static_cast<std::uint64_t>(count) : 1;
}

cli::Outcome<sim::Options> options_of(const RunFlags& flags, std::uint64_t seed) {
  Duration chaos = sim::kSafetyPhase;
  if (flags.hours > 0) chaos = seconds(static_cast<std::int64_t>(flags.hours) * 3600);
  if (flags.seconds > 0) chaos = seconds(static_cast<std::int64_t>(flags.seconds));
  EBB_ASSIGN(const Bug bug, bug_of(flags));
  auto options =
      sim::expand_scenario(flags.scenario, seed, static_cast<std::size_t>(flags.nodes), chaos);
  if (options) {
    options->bug = bug;
    return std::move(*options);
  }
  std::vector<std::string> names;
  for (const sim::Scenario& scenario : sim::scenarios())
    names.emplace_back(scenario.name);
  const auto meant = cli::nearest_word(flags.scenario, names);
  const std::string list = "`ebb-sim scenarios` lists what there is";
  return cli::usage_failure("unknown scenario " + flags.scenario,
                            meant ? "did you mean " + *meant + "? " + list : list);
}

Exit run_seeds(const RunFlags& flags, const cli::Terminal& terminal) {
  if (flags.seeds > 1) return Seeds(flags, terminal).run();
  EBB_ASSIGN(const sim::Options options, options_of(flags, flags.seed));
  print_options(options, terminal.out);
  return run_one(schedule_of(options), flags.trace, terminal.out);
}

Exit list_scenarios(const cli::Terminal& terminal) {
  std::vector<Named> list;
  for (const sim::Scenario& scenario : sim::scenarios())
    list.emplace_back(scenario.name, scenario.does);
  return print_list(list, terminal);
}

Exit list_bugs(const cli::Terminal& terminal) {
  if (!kBugsArePlanted) return cli::Failure{.what = std::string(kNoBugs)};
  std::vector<Named> list;
  for (const sim::PlantedInfo& info : sim::planted_bugs())
    list.emplace_back(info.name, info.what);
  return print_list(list, terminal);
}

Exit replay_file(const std::string& path, bool trace, const cli::Terminal& terminal) {
  EBB_ASSIGN(const std::string text, read_text(path));
  const Result<ScheduleFile> file = read_schedule(text, path);
  if (!file) return cli::usage_failure(file.error().detail);
  print_options(file->schedule.options, terminal.out);
  sim::Trace::Lines lines;
  if (trace) lines = [&](const std::string& line) { terminal.out << line << '\n'; };
  const Result<RunResult> result =
      trace ? run_here(file->schedule, std::move(lines)) : run_apart(file->schedule);
  if (!result) return failure(result.error());
  terminal.out << result->text;
  if (!file->expected.trace.empty()) {
    const bool same = result->trace == file->expected.trace;
    terminal.out << "as in the file: "
                 << (same ? "yes, the same trace" : "no, another trace: another program wrote it")
                 << '\n';
  }
  terminal.out << std::flush;
  return result->good ? ExitCode::kOk : ExitCode::kFailed;
}

}  // namespace ebb::sim_tool
