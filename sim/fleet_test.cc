// Fleets: what duty cycles, partitions, reach and links do to a run of the real engine.
#include "sim/fleet.h"

#include <doctest/doctest.h>

#include "sim/fleet_run.h"
#include "trust/hash.h"

using ebb::Duration;
using ebb::Instant;
using ebb::milliseconds;
using ebb::seconds;
using ebb::sim::Fleet;
using ebb::sim::FleetGroup;
using ebb::sim::FleetMeter;
using ebb::sim::FleetReport;
using ebb::sim::FleetRun;
using ebb::sim::kReachPercents;
using ebb::sim::TimeHistogram;

namespace {

FleetGroup group(const std::string& name, std::size_t count) {
  FleetGroup one;
  one.name = name;
  one.count = count;
  one.peers = {0};
  return one;
}

// Four devices that make an event every 10 s, for 20 minutes.
Fleet small() {
  Fleet fleet;
  fleet.duration = seconds(1200);
  fleet.settle = seconds(900);
  fleet.groups = {group("a", 4)};
  fleet.groups[0].event_interval = seconds(10);
  return fleet;
}

FleetReport run(const Fleet& fleet) {
  REQUIRE(ebb::trust::crypto_ready().ok());
  FleetReport report = FleetRun(fleet).run();
  CHECK(report.troubles.empty());
  return report;
}

Duration slowest(const FleetReport& report) {
  return report.meter.reach(kReachPercents.size() - 1).permille(1000);
}

}  // namespace

TEST_CASE("a histogram of times is right to an eighth") {
  TimeHistogram times;
  CHECK(times.permille(500) == Duration{});
  for (std::int64_t us = 1; us <= 100000; ++us)
    times.add({us});
  for (const std::uint64_t permille : {10U, 500U, 900U, 990U}) {
    const auto exact = static_cast<std::int64_t>(permille) * 100;
    CHECK(times.permille(permille).us >= exact);
    CHECK(times.permille(permille).us <= exact + exact / 8 + 1);
  }
  CHECK(times.permille(1000).us == 100000);
  CHECK(times.curve().back().second == 100000);
}

TEST_CASE("a meter counts shares of devices, bytes and completeness") {
  FleetMeter meter({0, 0, 1}, 2);
  const auto commit = [&](std::int64_t ms, std::uint32_t device, ebb::Seq from, ebb::Seq to,
                          bool own) {
    ebb::store::HeadAdvance moved;
    moved.head.key.topic = "events";
    moved.before.seq = from;
    moved.head.held.seq = to;
    moved.own_append = own;
    ebb::store::CommitResult result;
    result.advances = {moved};
    meter.committed(Instant{} + milliseconds(ms), device, ebb::sim::spans_of(result));
  };
  commit(0, 0, 0, 2, true);
  CHECK(meter.events() == 2);
  CHECK(meter.complete() == 333);
  commit(10, 1, 0, 1, false);
  commit(30, 2, 0, 2, false);
  CHECK(meter.complete(1) == 1000);
  CHECK(meter.complete(0) == 750);
  CHECK(meter.complete_worst() == 500);
  CHECK(meter.reach(0).count() == 2);  // 50 % are two of three devices
  CHECK(meter.reach(3).count() == 1);
  CHECK(meter.reach(3).permille(1000) == milliseconds(30));
  CHECK(meter.deliveries() == 3);
  meter.sent(0, 2, 100);
  meter.sent(2, 1, 50);
  CHECK(meter.bytes_between(0, 1) == 150);
  CHECK(meter.bytes_out(2) == 50);
  CHECK(meter.bytes_in(1) == 50);
}

TEST_CASE("a fleet that is always awake has every event everywhere within a second") {
  const FleetReport report = run(small());
  CHECK(report.complete);
  CHECK(report.meter.events() > 400);
  CHECK(report.meter.deliveries() == report.meter.events() * 3);
  CHECK(report.samples.back().all == 1000);
  // Devices start within a minute, so the first events wait for the last of them.
  CHECK(report.meter.reach(3).permille(900) < seconds(1));
  CHECK(report.links.at(0).open_permille > 3000);
  CHECK(FleetRun(small()).run().trace == report.trace);
}

TEST_CASE("devices that sleep get events when they wake, and are awake as planned") {
  Fleet fleet = small();
  fleet.groups.push_back(group("sleeper", 2));
  fleet.groups[1].awake_for = seconds(30);
  fleet.groups[1].awake_every = seconds(300);
  const FleetReport report = run(fleet);
  CHECK(report.complete);
  CHECK(slowest(report) > seconds(120));
  CHECK(report.meter.latency_of(0).permille(900) < seconds(1));
  for (const std::size_t device : {4U, 5U}) {
    const std::int64_t percent = report.awake[device].us * 100 / report.ran_for.us;
    CHECK(percent >= 5);
    CHECK(percent <= 20);
  }
  // What they missed does not come to them several times, and they pass little on.
  const auto& meter = report.meter;
  CHECK((meter.bytes_in(4) + meter.bytes_in(5)) * 2 <
        meter.bytes_in(0) + meter.bytes_in(1) + meter.bytes_in(2) + meter.bytes_in(3));
  CHECK(meter.bytes_out(4) < meter.bytes_out(0) / 2);
}

TEST_CASE("windows of the day are kept, and quiet hours hold back what is not live") {
  Fleet fleet = small();
  fleet.groups.push_back(group("day", 1));
  fleet.groups[1].awake = {{10, 15}};  // ten to a quarter past midnight
  const FleetReport report = run(fleet);
  CHECK(report.awake[4] >= seconds(300));
  CHECK(report.awake[4] <= seconds(420));
  CHECK(report.samples.back().worst < 1000);
  CHECK_FALSE(report.complete);
}

TEST_CASE("a partition delays what crosses it and nothing else") {
  Fleet fleet = small();
  fleet.groups.push_back(group("ship", 2));
  fleet.groups[1].peers = {0, 1};
  fleet.groups[1].event_interval = seconds(20);
  fleet.partitions.push_back({{1}, Instant{} + seconds(200), seconds(600), {}, false});
  const FleetReport report = run(fleet);
  CHECK(report.complete);
  CHECK(slowest(report) > seconds(500));
  CHECK(slowest(report) < seconds(1000));
  // Four of six devices are on one side.
  CHECK(report.meter.reach(0).permille(500) < seconds(1));
}

TEST_CASE("groups that do not reach each other meet through one that reaches both") {
  Fleet fleet = small();
  fleet.groups.push_back(group("gateway", 1));
  fleet.groups.push_back(group("server", 1));
  fleet.groups[0].reaches = {{0, 1}};
  fleet.groups[0].peers = {1};
  fleet.groups[2].reaches = {{1, 2}};
  fleet.groups[2].peers = {1};
  CHECK_FALSE(may_reach(fleet, 0, 2));
  CHECK(may_reach(fleet, 1, 2));
  CHECK(never_met(fleet).empty());
  const FleetReport report = run(fleet);
  CHECK(report.complete);
  CHECK(report.meter.bytes_between(0, 1) > 0);
  CHECK(report.meter.bytes_between(1, 2) > 0);
  fleet.groups[2].peers = {};
  CHECK(never_met(fleet) == std::vector<std::string>{"server"});
  fleet.groups[2].peers = {1};
  fleet.groups[1].reaches = {{0, 1}};
  CHECK(never_met(fleet) == std::vector<std::string>{"server"});
}

TEST_CASE("a slow uplink is shared by all of a device's links") {
  Fleet fleet = small();
  fleet.duration = seconds(300);
  fleet.groups[0].event_interval = seconds(2);
  fleet.groups[0].event_bytes = 2000;
  const Duration fast = run(fleet).meter.latency().permille(500);
  fleet.groups[0].link.up = 16000;
  const FleetReport report = run(fleet);
  CHECK(report.meter.latency().permille(500) > fast + milliseconds(100));
  for (std::uint32_t device = 0; device < 4; ++device) {
    // What was handed over may still wait; nothing that has left broke the rate.
    const auto most = static_cast<std::uint64_t>(report.ran_for.us / 1000000) * 16000;
    CHECK(report.meter.bytes_out(device) <= most + (std::uint64_t{1} << 20));
  }
}
