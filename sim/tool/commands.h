// The commands of ebb-sim.
//
// Threads: call on the main thread.
// Errors:  a Failure for what could not be done; a run that was bad is exit code 1 and no Failure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/failure.h"
#include "cli/terminal.h"
#include "sim/fault_plan.h"

namespace ebb::sim_tool {

using Exit = cli::Outcome<cli::ExitCode>;

// Which run, and how it is shown.
struct RunFlags {
  std::uint64_t seed = 0;
  std::uint64_t seeds = 1;
  std::uint64_t nodes = 20;
  std::uint64_t hours = 0;    // of faults; 0: not given
  std::uint64_t seconds = 0;  // the same
  std::uint64_t jobs = 0;     // 0: as many as there are cores
  std::string scenario = "faults";
  std::string bug;  // as sim/planted_bugs.h names it; empty: none
  bool trace = false;
  bool shrink = false;
};

struct ShrinkFlags {
  std::string out;  // file to write; empty: stdout
  std::uint64_t tries = 500;
};

// What the flags and this seed expand to: flags that change every run have their place here.
cli::Outcome<sim::Options> options_of(const RunFlags& flags, std::uint64_t seed);

Exit run_seeds(const RunFlags& flags, const cli::Terminal& terminal);
Exit list_scenarios(const cli::Terminal& terminal);
Exit list_bugs(const cli::Terminal& terminal);
Exit replay_file(const std::string& path, bool trace, const cli::Terminal& terminal);
// `what`: the run in words, for messages.
Exit shrink_schedule(const sim::Schedule& schedule, const std::string& what,
                     const ShrinkFlags& flags, const cli::Terminal& terminal);
// Runs the fleet of a file; its report goes to stdout, as tables or JSON, and to a page.
struct PlanFlags {
  std::string file;
  std::string html;      // file to write; empty: none
  std::string duration;  // instead of the file's
  std::optional<std::uint64_t> seed;
  std::uint64_t threads = 0;  // 0: as many as there are cores
  bool json = false;
};
Exit plan_fleet(const PlanFlags& flags, const cli::Terminal& terminal);

cli::Outcome<sim::Schedule> schedule_of_file(const std::string& path);

// Of this machine, at least one.
std::uint64_t cores();

// Whole files, of at most 64 MiB.
cli::Outcome<std::string> read_text(const std::string& path);
cli::Outcome<bool> write_text(const std::string& path, const std::string& text);

}  // namespace ebb::sim_tool
