// A fleet on several threads: the report is that of one thread.
#include <doctest/doctest.h>

#include "sim/fleet_run.h"
#include "trust/hash.h"

using ebb::Instant;
using ebb::milliseconds;
using ebb::seconds;
using ebb::sim::Fleet;
using ebb::sim::FleetGroup;
using ebb::sim::FleetReport;
using ebb::sim::FleetRun;

namespace {

// Devices that are awake, some that sleep, and a line that fails.
Fleet mixed() {
  Fleet fleet;
  fleet.duration = seconds(240);
  fleet.settle = seconds(300);
  FleetGroup shop;
  shop.name = "shop";
  shop.count = 8;
  shop.peers = {0};
  shop.event_interval = seconds(5);
  shop.link.loss_permille = 5;
  FleetGroup sensor = shop;
  sensor.name = "sensor";
  sensor.count = 3;
  sensor.awake_for = seconds(20);
  sensor.awake_every = seconds(60);
  fleet.groups = {shop, sensor};
  fleet.partitions.push_back({{1}, Instant{} + seconds(100), seconds(40), {}, true});
  return fleet;
}

}  // namespace

TEST_CASE("a fleet's report does not depend on the number of threads") {
  REQUIRE(ebb::trust::crypto_ready().ok());
  const FleetReport alone = FleetRun(mixed(), 1).run();
  CHECK(alone.troubles.empty());
  CHECK(alone.complete);
  CHECK(alone.meter.events() > 300);
  for (const std::size_t threads : {std::size_t{2}, std::size_t{3}}) {
    const FleetReport report = FleetRun(mixed(), threads).run();
    CHECK(report.trace == alone.trace);
    CHECK(report.steps == alone.steps);
    CHECK(report.lost_packets == alone.lost_packets);
    CHECK(report.complete_at == alone.complete_at);
    CHECK(report.meter.latency().curve() == alone.meter.latency().curve());
    CHECK(report.meter.bytes_out(0) == alone.meter.bytes_out(0));
  }
}
