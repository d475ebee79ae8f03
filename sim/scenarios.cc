#include "sim/scenarios.h"

#include <algorithm>
#include <array>
#include <initializer_list>

#include "sim/planted_bugs.h"

namespace ebb::sim {
namespace {

FaultSet only(std::initializer_list<Fault> faults) {
  FaultSet set{};
  for (const Fault fault : faults)
    set[static_cast<std::size_t>(fault)] = true;
  return set;
}

Options expand_faults(std::uint64_t seed, std::size_t nodes, Duration chaos) {
  return expand_seed(seed, nodes, chaos);
}

Options expand_calm(std::uint64_t seed, std::size_t nodes, Duration chaos) {
  return expand_seed(seed, nodes, chaos, FaultSet{});
}

// What field links are like: slow, lossy, often gone.
Options expand_poor_links(std::uint64_t seed, std::size_t nodes, Duration chaos) {
  Options options =
      expand_seed(seed, nodes, chaos,
                  only({Fault::kDatagramLost, Fault::kDatagramReordered, Fault::kStreamDelayed,
                        Fault::kStreamReset, Fault::kClog, Fault::kNarrowPath, Fault::kBlackHole,
                        Fault::kHalfOpen, Fault::kSlowReader}));
  options.network.latency_min = milliseconds(50);
  options.network.latency_max = milliseconds(600);
  options.network.jitter = milliseconds(100);
  options.network.rate = std::uint64_t{16000} << (seed % 3);
  options.network.stream_loss_permille = 50 + seed % 100;
  return options;
}

// Everything comes back at once.
Options expand_heal(std::uint64_t seed, std::size_t nodes, Duration chaos) {
  return expand_seed(seed, nodes, chaos,
                     only({Fault::kPartition, Fault::kPartitionSized, Fault::kPartitionOneWay,
                           Fault::kIsolation, Fault::kIsolationOneWay, Fault::kHealStorm}));
}

// No other fault may take a store back, or its loss would hide the one that is looked for.
Options expand_restore(std::uint64_t seed, std::size_t nodes, Duration chaos) {
  Options options = expand_seed(seed, nodes, chaos);
  for (const Fault fault : {Fault::kLateStart, Fault::kRestore, Fault::kDiskLost})
    options.plan(fault, 0);
  options.restore = true;
  return options;
}

// And has written nothing since, so that only events of others are lost.
Options expand_set_back(std::uint64_t seed, std::size_t nodes, Duration chaos) {
  Options options = expand_restore(seed, nodes, chaos);
  options.restore_quiet = true;
  // Who is to die in doubt is slow to store what ends it.
  options.enabled[static_cast<std::size_t>(Fault::kDiskStall)] = true;
  return options;
}

// Each host sleeps nine tenths of its time.
Options expand_duty_cycle(std::uint64_t seed, std::size_t nodes, Duration chaos) {
  Options options = expand_seed(seed, nodes, chaos,
                                only({Fault::kDatagramLost, Fault::kStreamDelayed, Fault::kSleep}));
  options.plan(Fault::kSleep, nodes * 2);
  return options;
}

Options expand_clocks(std::uint64_t seed, std::size_t nodes, Duration chaos) {
  return expand_seed(
      seed, nodes, chaos,
      only({Fault::kClockStep, Fault::kClockWalk, Fault::kClockAtBoot, Fault::kCleanStop}));
}

Options expand_disks(std::uint64_t seed, std::size_t nodes, Duration chaos) {
  return expand_seed(seed, nodes, chaos,
                     only({Fault::kCommitFails, Fault::kCommitsFail, Fault::kCommitLate,
                           Fault::kDiskStall, Fault::kReadFails, Fault::kReadLate, Fault::kDiskFull,
                           Fault::kTailLost, Fault::kCommitUntold, Fault::kPowerLoss}));
}

Options expand_restarts(std::uint64_t seed, std::size_t nodes, Duration chaos) {
  return expand_seed(seed, nodes, chaos,
                     only({Fault::kCleanStop, Fault::kKill, Fault::kPowerLoss, Fault::kPause,
                           Fault::kRestore, Fault::kDiskLost, Fault::kLateStart,
                           Fault::kAddressChange, Fault::kTailLost, Fault::kCommitUntold}));
}

// One small event a second of each host, under the faults of the seed: what sim-speed measures.
Options expand_steady(std::uint64_t seed, std::size_t nodes, Duration chaos) {
  Options options = expand_seed(seed, nodes, chaos);
  options.steady_interval = seconds(1);
  return options;
}

// The last host writes ten times as much as each of the others, and than its quota allows it. All
// take part in everything and are members, or what each is to hold would not be the same.
Options expand_quota(std::uint64_t seed, std::size_t nodes, Duration chaos) {
  const Options drawn = expand_seed(
      seed, nodes, chaos,
      only({Fault::kDatagramLost, Fault::kStreamDelayed, Fault::kStreamReset, Fault::kClog}));
  Options options;
  options.seed = seed;
  options.nodes = nodes;
  options.chaos = chaos;
  options.real = drawn.real;
  options.real_channel = drawn.real_channel;
  options.secret = drawn.secret;
  options.enabled = drawn.enabled;
  options.planned = drawn.planned;
  options.network = drawn.network;
  options.disk = drawn.disk;
  options.append_batches = 0;
  options.steady_interval = seconds(1);
  options.left_out = static_cast<HostIndex>(nodes - 1);
  options.left_out_writes = 10;
  options.quota_events = 5 * static_cast<std::uint64_t>(chaos.us / seconds(1).us);
  return options;
}

constexpr std::array kScenarios = {
    Scenario{kDefaultScenario, "a random half of all fault classes; what the suite runs",
             expand_faults},
    Scenario{"calm", "no faults at all", expand_calm},
    Scenario{"poor-links", "slow, lossy paths with latencies of up to 600 ms", expand_poor_links},
    Scenario{"heal", "partitions, and paths that all open at the same instant", expand_heal},
    Scenario{"restore", "after the faults a host comes back with an old store", expand_restore},
    Scenario{"set-back", "the same of one that wrote nothing since, and dies when it is told",
             expand_set_back},
    Scenario{"duty-cycle", "hosts that sleep nine tenths of the time", expand_duty_cycle},
    Scenario{"clocks", "wall clocks that jump, walk and start in 1970", expand_clocks},
    Scenario{"disks", "commits and reads that fail, stall or are lost", expand_disks},
    Scenario{"restarts", "hosts that stop, die, lose their disks and join late", expand_restarts},
    Scenario{"quota", "one host writes ten times as much as the others, and beyond its quota",
             expand_quota},
    Scenario{"steady", "the faults of the seed, and one event a second of each host",
             expand_steady},
};

}  // namespace

std::span<const Scenario> scenarios() { return kScenarios; }

const Scenario* find_scenario(std::string_view name) {
  const auto found = std::find_if(kScenarios.begin(), kScenarios.end(),
                                  [&](const Scenario& one) { return one.name == name; });
  return found == kScenarios.end() ? nullptr : &*found;
}

std::optional<Options> expand_scenario(std::string_view name, std::uint64_t seed, std::size_t nodes,
                                       Duration chaos) {
  const Scenario* const found = find_scenario(name);
  if (found == nullptr) return std::nullopt;
  Options options = found->expand(seed, nodes, chaos);
  options.scenario = std::string(name);
  return options;
}

std::string replay_line(const Options& options) {
  auto same = expand_scenario(options.scenario, options.seed, options.nodes, options.chaos);
  if (same) same->bug = options.bug;
  if (!same || *same != options || options.chaos.us % seconds(1).us != 0) return {};
  std::string line = "ebb-sim --seed " + std::to_string(options.seed) + " --scenario " +
                     options.scenario + " --nodes " + std::to_string(options.nodes);
  if (options.chaos != kSafetyPhase) {
    line += " --seconds " + std::to_string(options.chaos.us / seconds(1).us);
  }
  if (options.bug != Bug::kNone) line.append(" --bug ").append(bug_name(options.bug));
  return line;
}

}  // namespace ebb::sim
