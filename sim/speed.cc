// sim-speed: how much faster than real time a run goes: nodes that append one event a second each,
// under the faults of a seed, with all checkers. Not a test: it prints what it measured.
//
// Usage: sim-speed [NODES [VIRTUAL_SECONDS [SEED]]]
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <string>

#include "sim/cluster.h"
#include "sim/scenarios.h"
#include "trust/hash.h"

namespace {

std::uint64_t argument(int argc, char** argv, int index, std::uint64_t otherwise) {
  return argc > index ? std::strtoull(argv[index], nullptr, 10) : otherwise;
}

// Processor time of this process: what a machine does beside it does not count.
double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

int main(int argc, char** argv) {
  if (!ebb::trust::crypto_ready().ok()) return 1;
  const std::uint64_t nodes = argument(argc, argv, 1, 10);
  const auto chaos = ebb::seconds(static_cast<std::int64_t>(argument(argc, argv, 2, 600)));
  const ebb::sim::Options options =
      *ebb::sim::expand_scenario("steady", argument(argc, argv, 3, 1), nodes, chaos);
  std::string dir = (std::filesystem::temp_directory_path() / "sim-speed-XXXXXX").string();
  if (mkdtemp(dir.data()) == nullptr) return 1;
  const double cpu_begin = cpu_seconds();
  // style-ok(clock): real time is what this program measures
  const auto begin = std::chrono::steady_clock::now();
  const ebb::sim::Outcome outcome = run_seed(options, dir);
  // style-ok(clock): as above
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  const double cpu = cpu_seconds() - cpu_begin;
  std::error_code ignored;
  std::filesystem::remove_all(dir, ignored);
  const double virtual_s = static_cast<double>(outcome.virtual_time.us) / 1e6;
  std::cout << "nodes: " << nodes << "\nvirtual: " << virtual_s << " s\nreal: " << took.count()
            << " s\nspeed: " << virtual_s / took.count() << " x real time\ncpu: " << cpu
            << " s\nspeed by cpu: " << virtual_s / cpu << " x real time\nevents: " << outcome.events
            << "\ninputs: " << outcome.steps
            << "\ninputs per second: " << static_cast<double>(outcome.steps) / took.count()
            << "\nfaults: " << outcome.faults.total() << '\n';
  if (outcome.good()) return 0;
  std::cout << report(outcome);
  return 1;
}
