// Whether one bad peer makes the others slow: measured between the others, with it and without.
#include <doctest/doctest.h>

#include <string>

#include "sim/cluster.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"

using ebb::Duration;
using ebb::seconds;
using ebb::sim::HostIndex;
using ebb::sim::Options;
using ebb::sim::Outcome;

namespace {

constexpr HostIndex kBad = 7;

// 20 nodes without faults, one event a second each.
Options twenty() {
  Options options;
  options.seed = 1;
  options.nodes = 20;
  options.chaos = seconds(120);
  options.append_batches = 40;
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
  const Duration without = run(twenty()).latency_p99;
  const Duration with = run(bad).latency_p99;
  CHECK_MESSAGE(with <= without * 2, with.ms() << " ms, of " << without.ms() << " ms");
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
