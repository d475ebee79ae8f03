// Whether one bad peer makes the others slow: measured between the others, with it and without. In
// the environment: EBB_SIM_SEED=N runs another mesh than the first. One mesh tells little: each
// seed has its own latencies and trees.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "sim/cluster.h"
#include "sim/fault_plan.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"

using ebb::Duration;
using ebb::milliseconds;
using ebb::seconds;
using ebb::sim::Fault;
using ebb::sim::HostIndex;
using ebb::sim::kDrawnClasses;
using ebb::sim::kLies;
using ebb::sim::Options;
using ebb::sim::Outcome;
using ebb::sim::PlannedFault;
using ebb::sim::run_schedule;

namespace {

// The last, as a liar is: of the addresses with which hosts begin none lead to it alone.
constexpr HostIndex kBad = 19;
constexpr std::int64_t kSeconds = EBB_SIM_ISOLATION_SECONDS;             // set by tests/meson.build
constexpr std::uint64_t kLiesAtLeast = 5 * std::uint64_t{kSeconds} / 6;  // fewer prove little

std::uint64_t seed_of_runs() {
  // style-ok(getenv): how a test program is told which seed is to be run
  const char* text = std::getenv("EBB_SIM_SEED");
  return text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
}

// Without any bad peer the slowest hundredth takes this long in some meshes, where it comes by
// announcements, and less than 100 ms in others.
constexpr Duration kSlowMesh = milliseconds(600);

// 20 nodes without faults, one event a second each.
Options twenty() {
  Options options;
  options.seed = seed_of_runs();
  options.nodes = 20;
  options.chaos = seconds(kSeconds);
  options.append_batches = kSeconds / 3;
  options.steady_interval = seconds(1);
  options.left_out = kBad;
  return options;
}

// With what is planned for the bad one, from the beginning to the end.
Outcome run(const Options& options, std::vector<PlannedFault> planned = {}) {
  REQUIRE(ebb::trust::crypto_ready().ok());
  const ebb::tests::TempDir dir;
  Outcome outcome = run_schedule({options, std::move(planned)}, dir.path().string());
  CHECK_MESSAGE(outcome.good(), report(outcome));
  REQUIRE(outcome.latency_p99 > Duration{});
  return outcome;
}

// Within twice, or within `slow`.
Outcome must_be_isolated(const Options& bad, std::vector<PlannedFault> planned = {},
                         Duration slow = {}) {
  Options good = twenty();
  good.left_out = bad.left_out;
  const Duration without = run(good).latency_p99;
  Outcome outcome = run(bad, std::move(planned));
  const Duration with = outcome.latency_p99;
  MESSAGE("seed " << bad.seed << ": p99 " << with.ms() << " ms, " << without.ms()
                  << " ms without it, " << with.us * 100 / without.us << " %");
  CHECK(with <= std::max(without * 2, slow));
  return outcome;
}

std::uint64_t lies_of(const Outcome& outcome) {
  std::uint64_t lies = 0;
  for (std::size_t i = kDrawnClasses; i < kDrawnClasses + kLies; ++i)
    lies += outcome.faults.of(static_cast<Fault>(i));
  return lies;
}

}  // namespace

TEST_CASE("one of 20 peers that reads 100 bytes a second leaves the others' p99 alone") {
  Options bad = twenty();
  bad.left_out_read_rate = 100;
  must_be_isolated(bad);
}

TEST_CASE("one of 20 peers that hears nobody leaves the others' p99 alone") {
  Options bad = twenty();
  bad.left_out_is_deaf = true;
  must_be_isolated(bad);
}

TEST_CASE("one of 20 peers that nobody hears leaves the others' p99 alone") {
  PlannedFault mute;
  mute.kind = Fault::kIsolationOneWay;
  mute.host = kBad;
  mute.amount = 1;  // what it sends is lost
  mute.duration = seconds(kSeconds);
  const Outcome outcome = must_be_isolated(twenty(), {mute});
  CHECK(outcome.faults.of(Fault::kIsolationOneWay) == 1);
}

TEST_CASE("one of 20 peers that lies in every way leaves the others' p99 alone") {
  Options bad = twenty();
  bad.lie(200);
  bad.left_out = bad.liar_host();
  CHECK(lies_of(must_be_isolated(bad)) >= kLiesAtLeast);
}

TEST_CASE("one of 20 peers that writes ten times as much has its quota, and the others their p99") {
  Options bad = twenty();
  bad.left_out = kBad;
  bad.left_out_writes = 10;
  bad.quota_events = 5 * kSeconds;  // the others write about a third of it
  // Of ten meshes two get from the one kind to the other: there twice is missed (docs/claims.md).
  must_be_isolated(bad, {}, kSlowMesh);
}

TEST_CASE("one of 20 peers that says everything 200 times leaves the others' p99 alone") {
  Options bad = twenty();
  bad.lie(0);
  bad.floods = 200;
  bad.left_out = bad.liar_host();
  CHECK(lies_of(must_be_isolated(bad)) >= kLiesAtLeast);
}
