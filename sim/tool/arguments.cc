// The only file here that includes CLI11: it is slow to compile, and its exceptions end here.
#include "sim/tool/arguments.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ostream>
#include <string>

#include "cli/suggest.h"
#include "ebb/version.h"
#include "sim/cluster.h"
#include "sim/tool/commands.h"

namespace ebb::sim_tool {
namespace {

using cli::ExitCode;
using cli::Failure;

constexpr const char* kProgram = "ebb-sim";
constexpr std::int64_t kNodesMax = 1000;
constexpr std::int64_t kHoursMax = 1000;

class CommandLine {
 public:
  CommandLine();
  int run(std::vector<std::string> arguments, cli::Terminal& terminal);

 private:
  void add_run();
  void add_commands();
  void add_shrink(CLI::App* app);
  Exit call(cli::Terminal& terminal);
  Exit call_run(cli::Terminal& terminal);
  Failure judge(const CLI::ParseError& error);
  Failure judge_extra(const std::string& extra);
  CLI::App* chosen();

  CLI::App app_{
      "Runs a mesh of simulated nodes under faults that a seed decides, then checks that\n"
      "all of them agree and that nothing acknowledged is lost.",
      kProgram};
  RunFlags run_;
  ShrinkFlags shrink_;
  std::string file_;
  PlanFlags plan_flags_;
  std::uint64_t plan_seed_ = 0;
  CLI::Option* plan_seed_option_ = nullptr;
  CLI::Option* seed_ = nullptr;
  CLI::App* scenarios_ = nullptr;
  CLI::App* bugs_ = nullptr;
  CLI::App* replay_ = nullptr;
  CLI::App* plan_ = nullptr;
};

void CommandLine::add_shrink(CLI::App* app) {
  app->add_flag("--shrink", run_.shrink, "Make the failing run small; prints it as TOML");
  app->add_option("--out", shrink_.out, "With --shrink: the file to write [stdout]")
      ->type_name("FILE");
  app->add_option("--tries", shrink_.tries, "With --shrink: how many runs at most [500]")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1000000}));
  app->add_flag("--trace", run_.trace, "Print every step of every node");
}

void CommandLine::add_run() {
  seed_ = app_.add_option("--seed", run_.seed, "The (first) seed [1 with --seeds]")
              ->check(CLI::Range(std::int64_t{0}, std::int64_t{INT64_MAX}));
  app_.add_option("--scenario", run_.scenario, "What kind of run [faults]")->type_name("NAME");
  app_.add_option("--bug", run_.bug, "With a planted bug, in a build that has them")
      ->type_name("NAME");
  app_.add_option("--seeds", run_.seeds, "That many seeds, from --seed on [1]")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{10000000}));
  app_.add_option("--jobs", run_.jobs, "So many seeds at a time [as many as cores]")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{1024}));
  app_.add_option("--nodes", run_.nodes, "Nodes of the mesh [20]")
      ->check(CLI::Range(std::int64_t{1}, kNodesMax));
  CLI::Option* const hours = app_.add_option("--hours", run_.hours, "Virtual hours of faults");
  hours->check(CLI::Range(std::int64_t{1}, kHoursMax));
  app_.add_option("--seconds", run_.seconds, "The same in seconds [1700]")
      ->check(CLI::Range(std::int64_t{1}, kHoursMax * 3600))
      ->excludes(hours);
  add_shrink(&app_);
}

void CommandLine::add_commands() {
  scenarios_ = app_.add_subcommand("scenarios", "List the scenarios");
  bugs_ = app_.add_subcommand("bugs", "List the planted bugs");
  replay_ = app_.add_subcommand("replay", "Run a schedule that --shrink wrote");
  replay_->add_option("file", file_, "The schedule")->required()->type_name("FILE");
  add_shrink(replay_);
  plan_ = app_.add_subcommand("plan", "Run a fleet of yours and report times and bytes");
  plan_->add_option("fleet", plan_flags_.file, "What docs/planning.md describes")
      ->required()
      ->type_name("FLEET.toml");
  plan_->add_flag("--json", plan_flags_.json, "Print JSON instead of tables");
  plan_->add_option("--html", plan_flags_.html, "Write a page with plots as well")
      ->type_name("FILE");
  plan_->add_option("--duration", plan_flags_.duration, "Instead of the file's, as \"6h\"")
      ->type_name("TIME");
  plan_->add_option("--threads", plan_flags_.threads, "So many threads [as many as cores]")
      ->check(CLI::Range(std::int64_t{1}, std::int64_t{64}));
  plan_seed_option_ = plan_->add_option("--seed", plan_seed_, "Instead of the file's");
  plan_seed_option_->check(CLI::Range(std::int64_t{0}, std::int64_t{INT64_MAX}));
}

CommandLine::CommandLine() {
  app_.require_subcommand(0, 1);
  app_.option_defaults()->always_capture_default(false);
  app_.footer(
      "Exit code: 0 all runs good (with --shrink: a schedule was written), 1 some run bad,\n"
      "2 wrong use. docs/simulation.md says what a run is, docs/planning.md how to plan a fleet.");
  add_run();
  add_commands();
}

CLI::App* CommandLine::chosen() {
  const auto found = app_.get_subcommands();
  return found.empty() ? &app_ : found.front();
}

// A word that no option or command took.
Failure CommandLine::judge_extra(const std::string& extra) {
  CLI::App* const command = chosen();
  const bool is_root = command == &app_;
  const std::string path = is_root ? kProgram : kProgram + (' ' + command->get_name());
  const std::string see = '`' + path + " --help` lists what there is";
  const std::string word = extra.substr(0, extra.find('='));
  const bool is_flag = word.size() > 1 && word.front() == '-';
  std::vector<std::string> known;
  for (const CLI::Option* option : command->get_options()) {
    for (const std::string& name : option->get_lnames()) {
      if (is_flag) known.push_back("--" + name);
    }
  }
  if (!is_flag) {
    for (const CLI::App* sub : command->get_subcommands({}))
      known.push_back(sub->get_name());
  }
  const auto meant = cli::nearest_word(word, known);
  const std::string next = meant ? "did you mean " + *meant + "? " + see : see;
  if (is_flag) return cli::usage_failure("unknown flag " + word, next);
  if (known.empty()) return cli::usage_failure("one word too many: " + extra, see);
  return cli::usage_failure("unknown command " + extra, next);
}

Failure CommandLine::judge(const CLI::ParseError& error) {
  for (const std::string& extra : app_.remaining(true)) {
    if (extra != "--") return judge_extra(extra);
  }
  std::string what = error.what();
  std::replace(what.begin(), what.end(), '\n', ' ');
  return cli::usage_failure(what, '`' + std::string(kProgram) + " --help` tells how it is written");
}

Exit CommandLine::call_run(cli::Terminal& terminal) {
  const bool many = run_.seeds > 1;
  if (seed_->count() == 0 && !many) {
    return cli::usage_failure("--seed is missing", "`ebb-sim --seed 1` runs the first one");
  }
  if (seed_->count() == 0) run_.seed = 1;
  if (many && (run_.trace || run_.shrink)) {
    return cli::usage_failure("--trace and --shrink are for one seed, not for --seeds");
  }
  if (!run_.shrink) return run_seeds(run_, terminal);
  EBB_ASSIGN(const sim::Options options, options_of(run_, run_.seed));
  return shrink_schedule(schedule_of(options), "seed " + std::to_string(run_.seed), shrink_,
                         terminal);
}

Exit CommandLine::call(cli::Terminal& terminal) {
  CLI::App* const command = chosen();
  if (run_.trace && run_.shrink)
    return cli::usage_failure("--trace and --shrink exclude each other");
  if (!run_.shrink && !shrink_.out.empty()) return cli::usage_failure("--out needs --shrink");
  if (command == scenarios_) return list_scenarios(terminal);
  if (command == bugs_) return list_bugs(terminal);
  if (command == plan_) {
    if (plan_seed_option_->count() > 0) plan_flags_.seed = plan_seed_;
    return plan_fleet(plan_flags_, terminal);
  }
  if (command != replay_) return call_run(terminal);
  if (!run_.shrink) return replay_file(file_, run_.trace, terminal);
  EBB_ASSIGN(const sim::Schedule schedule, schedule_of_file(file_));
  return shrink_schedule(schedule, file_, shrink_, terminal);
}

int CommandLine::run(std::vector<std::string> arguments, cli::Terminal& terminal) {
  if (arguments.empty()) {
    terminal.err << app_.help() << std::flush;
    return static_cast<int>(ExitCode::kUsage);
  }
  app_.set_version_flag("--version", "ebb-sim " + std::string(kProgramVersion),
                        "Print the version");
  std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
  try {
    app_.parse(arguments);
  } catch (const CLI::Success& success) {  // --help and --version
    return app_.exit(success, terminal.out, terminal.err);
  } catch (const CLI::ParseError& error) {
    print_failure(terminal.err, judge(error), kProgram);
    return static_cast<int>(ExitCode::kUsage);
  }
  const Exit exit = call(terminal);
  terminal.out.flush();
  if (exit.ok()) return static_cast<int>(exit.value());
  print_failure(terminal.err, exit.error(), kProgram);
  return static_cast<int>(exit.error().exit);
}

}  // namespace

int run_arguments(const std::vector<std::string>& arguments, cli::Terminal& terminal) {
  return CommandLine().run(arguments, terminal);
}

}  // namespace ebb::sim_tool
