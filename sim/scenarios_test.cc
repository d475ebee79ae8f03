// Scenarios: what a name and a seed expand to, and the line that names them.
#include "sim/scenarios.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

#include "sim/cluster.h"
#include "sim/fault_plan.h"
#include "sim/verdict.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"

using ebb::seconds;
using ebb::sim::expand_scenario;
using ebb::sim::Fault;
using ebb::sim::fault_name;
using ebb::sim::kFaultClasses;
using ebb::sim::Options;
using ebb::sim::replay_line;
using ebb::sim::Scenario;
using ebb::sim::scenarios;

TEST_CASE("every scenario has a name of its own and good short runs with its own faults only") {
  REQUIRE(ebb::trust::crypto_ready().ok());
  std::set<std::string> names;
  for (const Scenario& scenario : scenarios()) {
    CAPTURE(scenario.name);
    CHECK(names.insert(std::string(scenario.name)).second);
    const auto options = expand_scenario(scenario.name, 3, 5, seconds(40));
    REQUIRE(options.has_value());
    const ebb::tests::TempDir dir;
    const ebb::sim::Outcome outcome = run_seed(*options, dir.path().string());
    CHECK_MESSAGE(outcome.good(), report(outcome));
    CHECK(failure_kind(outcome).empty());
    CHECK(outcome.events > 0);
    for (std::size_t i = 0; i < kFaultClasses; ++i) {
      const auto fault = static_cast<Fault>(i);
      // These two follow from others.
      if (options->enabled[i] || fault == Fault::kTailLost || fault == Fault::kCommitUntold)
        continue;
      CHECK_MESSAGE(outcome.faults.of(fault) == 0, fault_name(fault));
    }
  }
}

TEST_CASE("calm has no faults, duty-cycle puts every host to sleep, an unknown name is none") {
  const Options calm = *expand_scenario("calm", 7, 10);
  CHECK(ebb::sim::schedule_of(calm).faults.empty());
  CHECK(calm.network.stream_loss_permille == 0);
  CHECK(expand_scenario("duty-cycle", 7, 10)->planned_of(Fault::kSleep) == 20);
  CHECK(expand_scenario("restore", 7, 10)->restore);
  CHECK_FALSE(expand_scenario("clam", 7, 10).has_value());
}

TEST_CASE("the line to replay names what differs from the defaults, and nothing it cannot say") {
  CHECK(replay_line(*expand_scenario("faults", 12, 9)) ==
        "ebb-sim --seed 12 --scenario faults --nodes 9");
  CHECK(replay_line(*expand_scenario("heal", 4, 20, seconds(90))) ==
        "ebb-sim --seed 4 --scenario heal --nodes 20 --seconds 90");
  Options changed = *expand_scenario("faults", 12, 9);
  changed.append_batches += 1;
  CHECK(replay_line(changed).empty());
  CHECK(replay_line(Options{}).empty());
}

TEST_CASE("a report of a bad run ends with the line that replays it") {
  ebb::sim::Outcome outcome;
  outcome.options = *expand_scenario("disks", 2, 4);
  outcome.converged = true;
  outcome.findings.add("order", 3, "goes back");
  CHECK(failure_kind(outcome) == "order");
  CHECK(report(outcome).find("replay: ebb-sim --seed 2 --scenario disks --nodes 4\n") !=
        std::string::npos);
  outcome.findings = {};
  outcome.converged = false;
  CHECK(failure_kind(outcome) == "convergence");
}
