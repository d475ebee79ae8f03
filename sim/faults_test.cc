// Fault classes, their plan, and the moods and clocks that some of them move.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "sim/cluster.h"
#include "sim/disk_moods.h"
#include "sim/host_clock.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"

using ebb::Instant;
using ebb::Rng;
using ebb::seconds;
using ebb::WallTime;
using ebb::sim::DiskMoods;
using ebb::sim::DiskOptions;
using ebb::sim::EventQueue;
using ebb::sim::expand_seed;
using ebb::sim::Fault;
using ebb::sim::FaultCounts;
using ebb::sim::HostClock;
using ebb::sim::kDrawnClasses;
using ebb::sim::kFaultClasses;
using ebb::sim::kFaultTable;
using ebb::sim::kLies;
using ebb::sim::Options;
using ebb::sim::plan_faults;
using ebb::sim::plan_nat;
using ebb::sim::plan_peers;
using ebb::sim::PlannedFault;

namespace {

void pass(EventQueue& queue, ebb::Duration duration) {
  const Instant limit = queue.now() + duration;
  while (queue.run_next(limit)) {
  }
}

}  // namespace

TEST_CASE("there are at least 25 fault classes beside those of single packets, each with a name") {
  std::set<std::string_view> names;
  std::size_t beyond_packets = 0;
  for (const auto& info : kFaultTable) {
    CHECK_FALSE(info.name.empty());
    names.insert(info.name);
    if (!info.packet) ++beyond_packets;
  }
  CHECK(names.size() == kFaultClasses);
  CHECK(beyond_packets >= 25);
}

TEST_CASE("single packets are left out of the number of faults, not of the classes") {
  FaultCounts counts;
  counts.count(Fault::kDatagramLost);
  counts.count(Fault::kKill);
  CHECK(counts.total() == 2);
  CHECK(counts.beyond_packets() == 1);
  CHECK(counts.of(Fault::kDatagramLost) == 1);
}

TEST_CASE("every seed drops half of the classes, and not always the same half") {
  std::set<std::size_t> seen;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Options options = expand_seed(seed, 8);
    const auto lies = options.enabled.begin() + static_cast<std::ptrdiff_t>(kDrawnClasses);
    const auto strange = lies + static_cast<std::ptrdiff_t>(kLies);
    const auto beacons =
        options.enabled.begin() + static_cast<std::ptrdiff_t>(ebb::sim::kFirstBeacon);
    CHECK(std::count(options.enabled.begin(), lies, true) == (kDrawnClasses + 1) / 2);
    for (std::size_t i = 0; i < kFaultClasses; ++i) {
      if (options.enabled[i]) seen.insert(i);
      if (!options.enabled[i]) CHECK(options.planned[i] == 0);
    }
    CHECK((options.liar || std::count(lies, strange, true) == 0));
    CHECK((options.strangers > 0 || std::count(strange, beacons, true) == 0));
  }
  CHECK(seen.size() == kFaultClasses);
}

TEST_CASE("a class that is left out moves no fault of another") {
  Options options = expand_seed(3, 8);
  for (std::size_t i = 0; i < kFaultClasses; ++i)
    options.plan(static_cast<Fault>(i), 3);
  const auto kills = [&] {
    std::vector<Instant> times;
    for (const PlannedFault& fault : plan_faults(options, Rng(9))) {
      if (fault.kind == Fault::kKill) times.push_back(fault.at);
    }
    return times;
  };
  const auto before = kills();
  CHECK(before.size() == 3);
  options.plan(Fault::kPartition, 0);
  CHECK(kills() == before);
}

TEST_CASE("hosts behind NAT are nobody's peers, and all hosts hang together") {
  Options options = expand_seed(4, 12);
  options.plan(Fault::kBehindNat, 8);
  const auto behind = plan_nat(options, Rng(5));
  CHECK(std::count(behind.begin(), behind.end(), true) > 2);
  CHECK_FALSE(behind[0]);
  const auto peers = plan_peers(options, behind, Rng(6));
  std::set<ebb::sim::HostIndex> reached = {0};
  for (std::size_t pass = 0; pass < options.nodes; ++pass) {
    for (ebb::sim::HostIndex host = 0; host < options.nodes; ++host) {
      for (const auto peer : peers[host]) {
        CHECK_FALSE(behind[peer]);
        if (reached.contains(host)) reached.insert(peer);
        if (reached.contains(peer)) reached.insert(host);
      }
    }
  }
  CHECK(reached.size() == options.nodes);
}

TEST_CASE("nobody hangs on who is not certified alone") {
  Options options = expand_seed(4, 5);
  options.extra_peers = 0;
  options.outsider = 3;
  options.late = 2;
  const std::vector<bool> none(options.nodes, false);
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const auto peers = plan_peers(options, none, Rng(seed));
    CHECK(std::count(peers[4].begin(), peers[4].end(), 3) == 0);
    CHECK(std::count(peers[3].begin(), peers[3].end(), 4) == 0);
    for (const ebb::sim::HostIndex host : {3U, 4U}) {
      CHECK(std::count(peers[host].begin(), peers[host].end(), 2) == 0);
    }
  }
}

TEST_CASE("with every class in the plan every class is met, and all is well") {
  REQUIRE(ebb::trust::crypto_ready().ok());
  // A seed whose liar is asked for segments.
  Options options = expand_seed(7, 8, seconds(900));
  for (std::size_t i = 0; i < kFaultClasses; ++i) {
    const auto kind = static_cast<Fault>(i);
    options.plan(kind, 6);
  }
  options.lie(250);
  options.strange(2);
  options.lan = 5;
  options.append_batches = 600;
  options.network.stream_loss_permille = 20;
  options.network.stream_resets_per_million = 500;
  options.network.stream_flips_per_million = 500;
  options.network.datagram_loss_permille = 100;
  options.network.datagram_duplicate_permille = 100;
  options.network.datagram_reorder_permille = 100;
  options.network.datagram_forge_permille = 100;
  options.network.datagram_flip_permille = 100;
  options.disk.commit_late_permille = 20;
  options.disk.commit_fail_permille = 20;
  options.disk.read_late_permille = 200;
  options.disk.read_fail_permille = 200;
  const ebb::tests::TempDir dir;
  const auto outcome = run_seed(options, dir.path().string());
  CHECK_MESSAGE(outcome.good(), report(outcome));
  for (std::size_t i = 0; i < kFaultClasses; ++i)
    CHECK_MESSAGE(outcome.faults.of(static_cast<Fault>(i)) > 0, kFaultTable[i].name);
}

TEST_CASE("windows of a disk's moods count once, when they are felt, and end") {
  EventQueue queue;
  FaultCounts counts;
  DiskMoods moods(queue, counts, DiskOptions{}, Rng(1));
  moods.fail_commits(seconds(2));
  moods.stall(seconds(3));
  CHECK(counts.total() == 0);
  CHECK(moods.commit_error());
  CHECK(moods.commit_error());
  CHECK(moods.commit_duration() >= seconds(3));
  CHECK(moods.read_duration() >= seconds(3));
  CHECK(counts.of(Fault::kCommitsFail) == 1);
  CHECK(counts.of(Fault::kDiskStall) == 1);
  pass(queue, seconds(4));
  CHECK_FALSE(moods.commit_error());
  CHECK(moods.commit_duration() < seconds(1));
}

TEST_CASE("single operations of a disk fail or are late by chance until it is calm") {
  EventQueue queue;
  FaultCounts counts;
  DiskOptions options;
  options.commit_late_permille = options.commit_fail_permille = 500;
  options.read_late_permille = options.read_fail_permille = 500;
  DiskMoods moods(queue, counts, options, Rng(2));
  const auto use = [&] {
    for (int i = 0; i < 50; ++i) {
      static_cast<void>(moods.commit_duration());
      static_cast<void>(moods.read_duration());
      static_cast<void>(moods.commit_error());
      static_cast<void>(moods.read_error());
    }
  };
  use();
  for (const Fault kind :
       {Fault::kCommitLate, Fault::kReadLate, Fault::kCommitFails, Fault::kReadFails}) {
    CHECK_MESSAGE(counts.of(kind) > 0, fault_name(kind));
  }
  const std::uint64_t before = counts.total();
  moods.calm();
  use();
  CHECK(counts.total() == before);
}

TEST_CASE("a wall clock steps, drifts and is set right; the monotonic one only ever goes on") {
  EventQueue queue;
  HostClock clock(queue, WallTime{1000000});
  const Instant start = clock.monotonic();
  pass(queue, seconds(10));
  CHECK(clock.wall() == WallTime{1010000});
  clock.step(-500000);
  CHECK(clock.wall() == WallTime{510000});
  clock.set_drift(50000);
  pass(queue, seconds(100));
  CHECK(clock.wall() == WallTime{615000});
  clock.set_right();
  CHECK(clock.wall() == WallTime{1110000});
  CHECK(clock.monotonic() - start == seconds(110));
}
