// Whether one bad peer makes the others slow: measured between the others, with it and without.
#include <doctest/doctest.h>

#include <string>

#include "sim/cluster.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"

using ebb::Duration;
using ebb::seconds;
using ebb::sim::Fault;
using ebb::sim::HostIndex;
using ebb::sim::kDrawnClasses;
using ebb::sim::kLies;
using ebb::sim::Options;
using ebb::sim::Outcome;

namespace {

constexpr HostIndex kBad = 7;
constexpr std::int64_t kSeconds = EBB_SIM_ISOLATION_SECONDS;             // set by tests/meson.build
constexpr std::uint64_t kLiesAtLeast = 5 * std::uint64_t{kSeconds} / 6;  // fewer prove little

// 20 nodes without faults, one event a second each.
Options twenty() {
  Options options;
  options.seed = 1;
  options.nodes = 20;
  options.chaos = seconds(kSeconds);
  options.append_batches = kSeconds / 3;
  options.steady_interval = seconds(1);
  options.left_out = kBad;
  return options;
}

Outcome run(const Options& options) {
  REQUIRE(ebb::trust::crypto_ready().ok());
  const ebb::tests::TempDir dir;
  Outcome outcome = run_seed(options, dir.path().string());
  CHECK_MESSAGE(outcome.good(), report(outcome));
  CHECK(outcome.latency_p99 > Duration{});
  return outcome;
}

void must_be_isolated(const Options& bad) {
  Options good = twenty();
  good.left_out = bad.left_out;
  const Duration without = run(good).latency_p99;
  const Outcome outcome = run(bad);
  const Duration with = outcome.latency_p99;
  CHECK_MESSAGE(with <= without * 2, with.ms() << " ms, of " << without.ms() << " ms");
  std::uint64_t lies = 0;
  for (std::size_t i = kDrawnClasses; i < kDrawnClasses + kLies; ++i)
    lies += outcome.faults.of(static_cast<Fault>(i));
  CHECK_MESSAGE((!bad.liar || lies >= kLiesAtLeast), lies << " lies");
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

TEST_CASE("one of 20 peers that lies in every way leaves the others' p99 alone") {
  Options bad = twenty();
  bad.lie(200);
  bad.left_out = bad.liar_host();
  must_be_isolated(bad);
}

TEST_CASE("one of 20 peers that writes ten times as much has its quota, and the others their p99") {
  Options bad = twenty();
  bad.left_out = kBad;
  bad.left_out_writes = 10;
  bad.quota_events = 5 * kSeconds;  // the others write about a third of it
  must_be_isolated(bad);
}

TEST_CASE("one of 20 peers that says everything 200 times leaves the others' p99 alone") {
  Options bad = twenty();
  bad.lie(0);
  bad.floods = 200;
  bad.left_out = bad.liar_host();
  must_be_isolated(bad);
}
