// The simulator's seeds. EBB_SIM_SEEDS, how many are run, is set by tests/meson.build: all of them
// where the build is fast, fewer under sanitizers. EBB_SIM_SEED=N in the environment runs one.
#include <doctest/doctest.h>

#include <cstdlib>
#include <optional>
#include <string>

#include "sim/cluster.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"

using ebb::sim::expand_seed;
using ebb::sim::Fault;
using ebb::sim::FaultCounts;
using ebb::sim::Options;
using ebb::sim::Outcome;
using ebb::sim::report;
using ebb::sim::run_seed;

namespace {

constexpr std::size_t kNodes = 20;
constexpr std::uint64_t kSeeds = EBB_SIM_SEEDS;
constexpr std::uint64_t kSeedsTwice = kSeeds >= 50 ? 10 : 2;

std::optional<std::uint64_t> only_seed() {
  // style-ok(getenv): the way to replay one seed of a test program, as its failure says
  const char* text = std::getenv("EBB_SIM_SEED");
  if (text == nullptr) return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

Outcome run(const Options& options) {
  REQUIRE(ebb::trust::crypto_ready().ok());
  const ebb::tests::TempDir dir;
  return run_seed(options, dir.path().string());
}

void must_be_good(const Outcome& outcome) {
  if (outcome.good()) return;
  FAIL_CHECK(report(outcome) << "in this program: EBB_SIM_SEED=" << outcome.options.seed);
}

}  // namespace

TEST_CASE("20 nodes reach equal digests from 50 seeds") {
  if (const auto seed = only_seed()) return must_be_good(run(expand_seed(*seed, kNodes)));
  FaultCounts faults;
  for (std::uint64_t seed = 1; seed <= kSeeds; ++seed) {
    const Outcome outcome = run(expand_seed(seed, kNodes));
    must_be_good(outcome);
    CHECK(outcome.events > 0);
    faults.add(outcome.faults);
  }
  // A run that meets no faults proves little.
  if (kSeeds < 50) return;
  for (std::size_t i = 0; i < ebb::sim::kFaultClasses; ++i) {
    const auto fault = static_cast<Fault>(i);
    CHECK_MESSAGE(faults.of(fault) >= 20, fault_name(fault));
  }
}

TEST_CASE("10 seeds run twice give equal trace hashes") {
  for (std::uint64_t seed = 1; seed <= kSeedsTwice; ++seed) {
    const Options options = expand_seed(only_seed().value_or(seed), kNodes);
    const Outcome first = run(options);
    const Outcome second = run(options);
    CHECK_MESSAGE(first.trace == second.trace, "seed " << options.seed);
    CHECK(first.steps == second.steps);
    if (only_seed()) return;
  }
}

TEST_CASE("another seed gives another trace") {
  CHECK(run(expand_seed(1, 3)).trace != run(expand_seed(2, 3)).trace);
}

TEST_CASE("a host with a restored old store gets its events back and signs no number twice") {
  std::uint64_t rolled_back = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Options options = expand_seed(only_seed().value_or(seed), 4);
    options.restore = true;
    const Outcome outcome = run(options);
    must_be_good(outcome);
    CHECK((outcome.rollbacks_found > 0) == (outcome.events_rolled_back > 0));
    rolled_back += outcome.events_rolled_back;
  }
  if (!only_seed()) CHECK(rolled_back > 0);
}

TEST_CASE("a mesh of one agrees with itself") { must_be_good(run(expand_seed(1, 1))); }
