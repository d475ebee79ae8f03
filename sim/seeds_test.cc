// The simulator's seeds. EBB_SIM_SEEDS, how many are run, is set by tests/meson.build: all of them
// where the build is fast, fewer under sanitizers. In the environment: EBB_SIM_PART=I/N runs each
// N-th seed, from I on, so that N processes share the work; EBB_SIM_SEED=N runs one seed;
// EBB_SIM_HOURS=N makes every run as long, and EBB_SIM_TENTH=N (or else EBB_SIM_TENTH_OF_SETUP=N)
// then says which tenth of the seeds is run twice; EBB_SIM_BUG=NAME plants a bug.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <string>

#include "sim/cluster.h"
#include "sim/planted_bugs.h"
#include "sim/scenarios.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"

using ebb::seconds;
using ebb::sim::expand_scenario;
using ebb::sim::expand_seed;
using ebb::sim::Fault;
using ebb::sim::FaultCounts;
using ebb::sim::Options;
using ebb::sim::Outcome;
using ebb::sim::report;
using ebb::sim::run_seed;

namespace {

constexpr std::uint64_t kSeeds = EBB_SIM_SEEDS;
constexpr std::uint64_t kSeedsAll = 100;
constexpr std::uint64_t kSeedsTwice = kSeeds == kSeedsAll ? 10 : 2;
constexpr std::uint64_t kHitsPerClass = 20;
constexpr std::uint64_t kFaultsPerRun = 200;
constexpr ebb::Duration kShort = seconds(70);

const char* from_environment(const char* name) {
  // style-ok(getenv): how a test program is told its share, and which seed is to be replayed
  return std::getenv(name);
}

std::optional<std::uint64_t> number_from_environment(const char* name) {
  const char* text = from_environment(name);
  if (text == nullptr) return std::nullopt;
  return std::strtoull(text, nullptr, 10);
}

std::optional<std::uint64_t> only_seed() { return number_from_environment("EBB_SIM_SEED"); }
std::optional<std::uint64_t> hours() { return number_from_environment("EBB_SIM_HOURS"); }

ebb::Duration safety_phase() {
  if (const auto given = hours()) return seconds(static_cast<std::int64_t>(*given) * 3600);
  return ebb::sim::kSafetyPhase;
}

// The first ten of the suite; of long runs a tenth, each day another.
bool is_run_twice(std::uint64_t seed) {
  if (!hours()) return seed <= kSeedsTwice;
  static const auto setup = number_from_environment("EBB_SIM_TENTH_OF_SETUP");
  static const auto today = number_from_environment("EBB_SIM_TENTH");
  return seed % 10 == today.value_or(setup.value_or(0)) % 10;
}

// Part `index` of `count`.
struct Part {
  std::uint64_t index = 0;
  std::uint64_t count = 1;
};
Part part() {
  const char* text = from_environment("EBB_SIM_PART");
  if (text == nullptr) return {};
  char* rest = nullptr;
  const std::uint64_t index = std::strtoull(text, &rest, 10);
  REQUIRE(*rest == '/');
  const std::uint64_t count = std::strtoull(rest + 1, nullptr, 10);
  REQUIRE(index < count);
  return {index, count};
}

// The first half of the suite has 20 nodes, as ebb-sim has unless it is told otherwise; the rest,
// and what runs slowly or for long, 5 to 20.
std::size_t nodes_of(std::uint64_t seed) {
  const bool first_half = seed <= kSeedsAll / 2 && kSeeds == kSeedsAll && !hours();
  return first_half ? 20 : 5 + seed % 16;
}

Options suite_options(std::uint64_t seed) {
  Options options = expand_seed(seed, nodes_of(seed), safety_phase());
  if (const char* name = from_environment("EBB_SIM_BUG")) {
    const auto bug = ebb::sim::bug_named(name);
    REQUIRE_MESSAGE(bug.has_value(), "EBB_SIM_BUG: " << name);
    options.bug = *bug;
  }
  return options;
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

TEST_CASE("5 to 20 nodes agree after half an hour of faults, from 100 seeds") {
  if (const auto seed = only_seed()) return must_be_good(run(suite_options(*seed)));
  const Part mine = part();
  FaultCounts faults;
  std::uint64_t runs = 0;
  std::uint64_t rare = 0;
  std::uint64_t mixed = 0;
  std::uint64_t real_channel = 0;
  for (std::uint64_t seed = 1 + mine.index; seed <= kSeeds; seed += mine.count) {
    const Outcome outcome = run(suite_options(seed));
    must_be_good(outcome);
    CHECK(outcome.events > 0);
    CHECK(outcome.virtual_time >= safety_phase());
    faults.add(outcome.faults);
    ++runs;
    rare += outcome.options.rare.on ? 1U : 0U;
    mixed += outcome.options.mixed_wire ? 1U : 0U;
    real_channel += outcome.options.real_channel ? 1U : 0U;
  }
  // A run that meets no faults proves little. Each part has to do its share.
  if (kSeeds < kSeedsAll) return;
  CHECK(rare * 4 >= runs);
  CHECK(mixed * 3 >= runs);
  CHECK(real_channel * 50 >= runs);  // drawn one time in 20
  CHECK(faults.beyond_packets() >= kFaultsPerRun * runs);
  for (std::size_t i = 0; i < ebb::sim::kFaultClasses; ++i) {
    const auto fault = static_cast<Fault>(i);
    const std::uint64_t hits = faults.of(fault);
    CHECK_MESSAGE(hits * mine.count >= kHitsPerClass, fault_name(fault) << ": " << hits);
  }
}

TEST_CASE("10 seeds run twice give equal trace hashes") {
  const Part mine = part();
  for (std::uint64_t seed = 1 + mine.index; seed <= kSeeds; seed += mine.count) {
    if (!is_run_twice(seed)) continue;
    const Options options = suite_options(only_seed().value_or(seed));
    const Outcome first = run(options);
    const Outcome second = run(options);
    CHECK_MESSAGE(first.trace == second.trace, "seed " << options.seed);
    CHECK(first.steps == second.steps);
    if (only_seed()) return;
  }
}

TEST_CASE("another seed gives another trace") {
  CHECK(run(expand_seed(1, 3, kShort)).trace != run(expand_seed(2, 3, kShort)).trace);
}

TEST_CASE("a host with a restored old store gets its events back and signs no number twice") {
  std::uint64_t rolled_back = 0;
  // The first few, and some that once did not agree: a read that had failed at one host left
  // another behind that took itself to be complete, or a cursor had gone over what its own host had
  // lost.
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U, 5U, 6U, 7U, 8U, 93U, 270U, 469U}) {
    const Options options = *expand_scenario("restore", only_seed().value_or(seed), 4, kShort);
    const Outcome outcome = run(options);
    must_be_good(outcome);
    CHECK_MESSAGE((outcome.rollbacks_found > 0) == (outcome.events_rolled_back > 0),
                  "seed " << options.seed);
    rolled_back += outcome.events_rolled_back;
    if (only_seed()) return;
  }
  CHECK(rolled_back > 0);
}

TEST_CASE("a restored host that writes before it hears anybody is told, and both histories stay") {
  std::uint64_t forked = 0;
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Options options = expand_seed(only_seed().value_or(seed), 4, kShort);
    options.plan(Fault::kLateStart, 0);
    options.plan(Fault::kRestore, 0);
    options.plan(Fault::kDiskLost, 0);
    options.restore = true;
    options.restore_gap = true;
    const Outcome outcome = run(options);
    must_be_good(outcome);
    CHECK_MESSAGE((outcome.rollbacks_found > 0) == (outcome.events_rolled_back > 0),
                  "seed " << options.seed);
    forked += outcome.logs_forked;
  }
  if (!only_seed()) CHECK(forked > 0);
}

TEST_CASE("a host that comes back with an old store, and lost events of others alone, is told") {
  std::uint64_t alone = 0;
  std::uint64_t again = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    const Options options = *expand_scenario("set-back", only_seed().value_or(seed), 4, kShort);
    const Outcome outcome = run(options);
    must_be_good(outcome);
    // It dies before it has taken another epoch, and is told once by each start.
    CHECK(outcome.set_backs_found <= 2);
    if (outcome.set_backs_found > 1) ++again;
    if (outcome.events_rolled_back == 0) alone += outcome.set_backs_found;
  }
  if (!only_seed()) {
    CHECK(alone > 0);
    CHECK(again > 0);
  }
}

// Several disks at once are full, so hosts push what they then cannot keep, nor send again.
TEST_CASE("hosts with full disks are not blamed for what they pushed") {
  must_be_good(run(expand_seed(179, 8)));
}

TEST_CASE("a mesh of one agrees with itself") { must_be_good(run(expand_seed(1, 1, kShort))); }
