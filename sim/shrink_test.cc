// Shrinking, on predicates whose smallest failing schedule is known, and on a real run with a bug.
#include "sim/shrink.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "sim/cluster.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"

using ebb::seconds;
using ebb::sim::expand_seed;
using ebb::sim::Fault;
using ebb::sim::Options;
using ebb::sim::Outcome;
using ebb::sim::PlannedFault;
using ebb::sim::Schedule;
using ebb::sim::schedule_of;
using ebb::sim::shrink;
using ebb::sim::Shrunk;

namespace {

std::size_t count(const Schedule& schedule, Fault kind) {
  return static_cast<std::size_t>(
      std::count_if(schedule.faults.begin(), schedule.faults.end(),
                    [&](const PlannedFault& fault) { return fault.kind == kind; }));
}

Schedule wide_schedule() {
  Options options = expand_seed(5, 20);
  options.plan(Fault::kKill, 12);
  options.plan(Fault::kClockStep, 10);
  options.network.datagram_loss_permille = 100;
  options.enabled[static_cast<std::size_t>(Fault::kDatagramLost)] = true;
  return schedule_of(options);
}

}  // namespace

TEST_CASE("of a failure by two faults nothing is left but these two") {
  const Schedule failing = wide_schedule();
  const auto first = std::find_if(failing.faults.begin(), failing.faults.end(),
                                  [](const auto& fault) { return fault.kind == Fault::kKill; });
  const auto last = std::find_if(failing.faults.rbegin(), failing.faults.rend(),
                                 [](const auto& fault) { return fault.kind == Fault::kClockStep; });
  REQUIRE(first != failing.faults.end());
  REQUIRE(last != failing.faults.rend());
  const auto happens = [](const Schedule& schedule, const PlannedFault& fault) {
    return std::any_of(schedule.faults.begin(), schedule.faults.end(), [&](const auto& one) {
      return one.at == fault.at && one.kind == fault.kind && one.host == fault.host;
    });
  };
  const Shrunk shrunk = shrink(failing, [&](const Schedule& schedule) {
    return happens(schedule, *first) && happens(schedule, *last);
  });
  CHECK(shrunk.finished);
  CHECK(shrunk.schedule.faults.size() == 2);
  CHECK(count(shrunk.schedule, Fault::kKill) == 1);
  CHECK(count(shrunk.schedule, Fault::kClockStep) == 1);
  CHECK(shrunk.schedule.options.planned_of(Fault::kKill) == 1);
  CHECK(shrunk.schedule.options.network.datagram_loss_permille == 0);
  const std::size_t named = std::max({first->host, first->other, last->host, last->other});
  CHECK(shrunk.schedule.options.nodes == named + 1);
  CHECK(shrunk.schedule.options.append_batches == 0);
  CHECK(shrunk.schedule.options.chaos > last->at - ebb::Instant{});
  CHECK(shrunk.schedule.options.chaos.us <= std::max(last->at.us * 5 / 4, seconds(1).us));
}

TEST_CASE("a failure by chance keeps its class and no planned fault") {
  const Shrunk shrunk = shrink(wide_schedule(), [](const Schedule& schedule) {
    return schedule.options.network.datagram_loss_permille > 0 && schedule.options.nodes >= 3;
  });
  CHECK(shrunk.finished);
  CHECK(shrunk.schedule.faults.empty());
  CHECK(shrunk.schedule.options.nodes == 3);
  CHECK(shrunk.schedule.options.chaos == seconds(1));
  const auto& enabled = shrunk.schedule.options.enabled;
  CHECK(std::count(enabled.begin(), enabled.end(), true) == 1);
}

TEST_CASE("the same answers give the same schedule, and tries have an end") {
  const auto many_kills = [](const Schedule& schedule) {
    return count(schedule, Fault::kKill) >= 3;
  };
  const Shrunk once = shrink(wide_schedule(), many_kills);
  CHECK(once.schedule == shrink(wide_schedule(), many_kills).schedule);
  CHECK(once.schedule.faults.size() == 3);
  std::uint64_t asked = 0;
  const Shrunk cut_short = shrink(wide_schedule(),
                                  [&](const Schedule& schedule) {
                                    ++asked;
                                    return many_kills(schedule);
                                  },
                                  {.tries_max = 7, .progress = {}});
  CHECK(asked == 7);
  CHECK(cut_short.tries == 7);
  CHECK_FALSE(cut_short.finished);
  CHECK(many_kills(cut_short.schedule));
}

TEST_CASE("what cannot become smaller stays as it was") {
  const Schedule failing = wide_schedule();
  const Shrunk shrunk =
      shrink(failing, [&](const Schedule& schedule) { return schedule == failing; });
  CHECK(shrunk.finished);
  CHECK(shrunk.schedule == failing);
}

TEST_CASE("a real run shrinks to a small one of which the same is true, and that repeats exactly") {
  REQUIRE(ebb::trust::crypto_ready().ok());
  Options options = expand_seed(1, 6, seconds(60));
  options.real = false;
  options.plan(Fault::kKill, 20);
  options.plan(Fault::kClog, 10);
  const auto run = [](const Schedule& schedule) {
    const ebb::tests::TempDir dir;
    return run_schedule(schedule, dir.path().string());
  };
  // What a checker with a mistake would say: two kills are two too many, if a commit was cut short.
  const auto fails = [&](const Schedule& schedule) {
    const Outcome outcome = run(schedule);
    return outcome.faults.of(Fault::kKill) >= 2 && outcome.faults.of(Fault::kCommitUntold) >= 1;
  };
  const Schedule failing = schedule_of(options);
  REQUIRE(fails(failing));
  const Shrunk shrunk = shrink(failing, fails, {.tries_max = 150, .progress = {}});
  CHECK(count(shrunk.schedule, Fault::kKill) >= 2);
  CHECK(shrunk.schedule.faults.size() <= 4);
  CHECK(count(shrunk.schedule, Fault::kClog) == 0);
  CHECK(fails(shrunk.schedule));
  CHECK(run(shrunk.schedule).trace == run(shrunk.schedule).trace);
}
