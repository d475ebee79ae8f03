// ebb-sim: runs seeds of the simulator and says what came of them.
#include <stdlib.h>

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "sim/cluster.h"
#include "sim/planted_bugs.h"
#include "trust/hash.h"

namespace {

constexpr int kExitGood = 0;
constexpr int kExitBad = 1;
constexpr int kExitUsage = 2;
constexpr std::uint64_t kNodesMax = 1000;

constexpr std::string_view kHelp =
    "Usage: ebb-sim --seed N [--seeds COUNT] [--nodes COUNT] [--bug NAME] [--trace]\n"
    "\n"
    "Runs a mesh of simulated nodes under faults that the seed decides, then checks that all\n"
    "of them agree and that nothing acknowledged is lost.\n"
    "\n"
    "  --seed N       the (first) seed\n"
    "  --seeds COUNT  that many seeds from N on (default 1)\n"
    "  --nodes COUNT  nodes of the mesh, 1 to 1000 (default 20)\n"
    "  --bug NAME     with that planted bug, in a build that has them\n"
    "  --list-bugs    print their names\n"
    "  --trace        print every step of every node\n"
    "  --help         print this\n"
    "\n"
    "Exit code: 0 all seeds good, 1 some seed bad, 2 usage.\n";

struct Arguments {
  std::optional<std::uint64_t> seed;
  std::uint64_t seeds = 1;
  std::uint64_t nodes = 20;
  ebb::Bug bug = ebb::Bug::kNone;
  bool list_bugs = false;
  bool trace = false;
  bool help = false;
};

std::optional<std::uint64_t> number(std::string_view text) {
  std::uint64_t value = 0;
  if (text.empty() || text.size() > 19) return std::nullopt;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

// nullopt after having said what is wrong.
std::optional<Arguments> parse(int argc, char** argv) {
  Arguments arguments;
  for (int i = 1; i < argc; ++i) {
    const std::string_view flag = argv[i];
    if (flag == "--help") {
      arguments.help = true;
      return arguments;
    }
    if (flag == "--list-bugs") {
      arguments.list_bugs = true;
      return arguments;
    }
    if (flag == "--bug") {
      const auto bug = i + 1 < argc ? ebb::sim::bug_named(argv[++i]) : std::nullopt;
      if (!bug) {
        std::cerr << "ebb-sim: --bug takes a name of --list-bugs"
                  << (ebb::kBugsArePlanted ? "\n"
                                           : "; this build has none (-Dplanted_bugs=true)\n");
        return std::nullopt;
      }
      arguments.bug = *bug;
      continue;
    }
    if (flag == "--trace") {
      arguments.trace = true;
      continue;
    }
    const bool known = flag == "--seed" || flag == "--seeds" || flag == "--nodes";
    if (!known) {
      std::cerr << "ebb-sim: unknown argument " << flag << '\n';
      return std::nullopt;
    }
    const auto value = i + 1 < argc ? number(argv[++i]) : std::nullopt;
    if (!value) {
      std::cerr << "ebb-sim: " << flag << " takes a whole number\n";
      return std::nullopt;
    }
    if (flag == "--seed") arguments.seed = *value;
    if (flag == "--seeds") arguments.seeds = *value;
    if (flag == "--nodes") arguments.nodes = *value;
  }
  if (!arguments.seed) {
    std::cerr << "ebb-sim: --seed is missing\n";
    return std::nullopt;
  }
  if (arguments.nodes == 0 || arguments.nodes > kNodesMax || arguments.seeds == 0) {
    std::cerr << "ebb-sim: --nodes is 1 to " << kNodesMax << ", --seeds at least 1\n";
    return std::nullopt;
  }
  return arguments;
}

// A directory of its own, gone with the object.
class Scratch {
 public:
  Scratch() : path_((std::filesystem::temp_directory_path() / "ebb-sim-XXXXXX").string()) {
    made_ = mkdtemp(path_.data()) != nullptr;
  }
  ~Scratch() {
    std::error_code ignored;
    if (made_) std::filesystem::remove_all(path_, ignored);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  bool made() const { return made_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool made_ = false;
};

void print_outcome(const ebb::sim::Outcome& outcome) {
  std::cout << "converged: " << (outcome.converged ? "yes" : "no") << ", "
            << outcome.converged_after.ms() << " ms after the faults\n"
            << "latency: p50 " << outcome.latency_p50.ms() << " ms, p99 "
            << outcome.latency_p99.ms() << " ms\n"
            << "engine bytes: at most " << outcome.engine_bytes_max << ", at rest "
            << outcome.engine_bytes_max_at_rest << '\n'
            << "events: " << outcome.events << " acknowledged\n"
            << "steps: " << outcome.steps << '\n'
            << "trace: " << ebb::to_hex(outcome.trace.view()) << '\n'
            << "faults: " << outcome.faults.total() << '\n';
  for (std::size_t i = 0; i < ebb::sim::kFaultClasses; ++i) {
    const auto fault = static_cast<ebb::sim::Fault>(i);
    if (outcome.faults.of(fault) == 0) continue;
    std::cout << "  " << fault_name(fault) << ": " << outcome.faults.of(fault) << '\n';
  }
  if (!outcome.good()) std::cout << report(outcome);
  std::cout << std::flush;
}

// Whether the seed was good; nullopt when it could not be run.
std::optional<bool> run(std::uint64_t seed, const Arguments& arguments) {
  const Scratch scratch;
  if (!scratch.made()) {
    std::perror(scratch.path().c_str());
    return std::nullopt;
  }
  ebb::sim::Options options =
      ebb::sim::expand_seed(seed, static_cast<std::size_t>(arguments.nodes));
  options.bug = arguments.bug;
  std::cout << "seed: " << seed << '\n';
  for (const auto& [name, value] : describe(options)) {
    std::cout << "  " << name << ": " << value << '\n';
  }
  ebb::sim::Trace::Lines lines;
  if (arguments.trace) lines = [](const std::string& line) { std::cout << line << '\n'; };
  const ebb::sim::Outcome outcome = run_seed(options, scratch.path(), std::move(lines));
  print_outcome(outcome);
  return outcome.good();
}

}  // namespace

int main(int argc, char** argv) {
  const std::optional<Arguments> arguments = parse(argc, argv);
  if (!arguments) return kExitUsage;
  if (arguments->help) {
    std::cout << kHelp;
    return kExitGood;
  }
  if (arguments->list_bugs) {
    for (const ebb::sim::PlantedInfo& info : ebb::sim::planted_bugs())
      std::cout << info.name << ": " << info.what << '\n';
    return kExitGood;
  }
  const ebb::Status ready = ebb::trust::crypto_ready();
  if (!ready) {
    std::cerr << "ebb-sim: " << ready.error().message() << '\n';
    return kExitBad;
  }
  int exit_code = kExitGood;
  for (std::uint64_t i = 0; i < arguments->seeds; ++i) {
    if (!run(*arguments->seed + i, *arguments).value_or(false)) exit_code = kExitBad;
  }
  return exit_code;
}
