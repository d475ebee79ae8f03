// Whether one bad peer makes the others slow: measured between the others, with it and without.
#include <doctest/doctest.h>

#include <string>

#include "sim/cluster.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"

using ebb::Duration;
using ebb::seconds;
using ebb::sim::Cluster;
using ebb::sim::HostIndex;
using ebb::sim::Options;
using ebb::sim::Outcome;

namespace {

constexpr HostIndex kBad = 7;

// 20 nodes without faults, one event a second each.
Outcome run(std::uint64_t slow_rate) {
  REQUIRE(ebb::trust::crypto_ready().ok());
  Options options;
  options.seed = 1;
  options.nodes = 20;
  options.chaos = seconds(120);
  options.append_batches = 40;
  options.steady_interval = seconds(1);
  options.left_out = kBad;
  options.left_out_read_rate = slow_rate;
  const ebb::tests::TempDir dir;
  return run_seed(options, dir.path().string());
}

}  // namespace

TEST_CASE("one of 20 peers that reads 100 bytes a second leaves the others' p99 alone") {
  const Outcome without = run(0);
  const Outcome with = run(100);
  CHECK_MESSAGE(without.good(), report(without));
  CHECK_MESSAGE(with.good(), report(with));
  CHECK(without.latency_p99 > Duration{});
  CHECK_MESSAGE(with.latency_p99 <= without.latency_p99 * 2,
                with.latency_p99.ms() << " ms, of " << without.latency_p99.ms() << " ms");
}
