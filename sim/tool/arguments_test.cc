// How ebb-sim's command line is written, what it answers, and what becomes of wrong use.
#include "sim/tool/arguments.h"

#include <doctest/doctest.h>

#include "sim/scenarios.h"
#include "sim/tool/schedule_file.h"
#include "tests/sim_tool/bad_schedule.h"
#include "tests/sim_tool/tool_run.h"

using ebb::tests::ToolRun;

TEST_CASE("wrong use is exit code 2 with the word that was meant") {
  ToolRun sim;
  CHECK(sim.run({}) == 2);
  CHECK(sim.err_has("--scenario"));
  CHECK(sim.run({"--nodes", "5"}) == 2);
  CHECK(sim.err_has("--seed is missing"));
  CHECK(sim.run({"--seed", "1", "--scenaro", "calm"}) == 2);
  CHECK(sim.err_has("did you mean --scenario?"));
  CHECK(sim.run({"--seed", "1", "--scenario", "clam"}) == 2);
  CHECK(sim.err_has("unknown scenario clam"));
  CHECK(sim.err_has("did you mean calm?"));
  CHECK(sim.run({"scenaros"}) == 2);
  CHECK(sim.err_has("did you mean scenarios?"));
  CHECK(sim.run({"--seed", "x"}) == 2);
  CHECK(sim.run({"--seed", "1", "--nodes", "0"}) == 2);
  CHECK(sim.run({"--seed", "1", "--hours", "1", "--seconds", "1"}) == 2);
  CHECK(sim.run({"--seeds", "2", "--trace"}) == 2);
  CHECK(sim.run({"--seed", "1", "--out", "x"}) == 2);
  CHECK(sim.run({"replay"}) == 2);
  CHECK(sim.run({"replay", sim.file("gone.toml")}) == 2);
  CHECK(sim.err_has("gone.toml"));
  CHECK(sim.out.empty());
}

TEST_CASE("help and the list of scenarios go to stdout") {
  ToolRun sim;
  CHECK(sim.run({"--help"}) == 0);
  CHECK(sim.out_has("--jobs"));
  CHECK(sim.out_has("Exit code: 0"));
  CHECK(sim.run({"--version"}) == 0);
  CHECK(sim.run({"scenarios"}) == 0);
  for (const ebb::sim::Scenario& scenario : ebb::sim::scenarios())
    CHECK(sim.out_has(std::string(scenario.name) + ' '));
}

TEST_CASE("a seed and a scenario replay exactly, here and apart") {
  ToolRun sim;
  const std::vector<std::string> line = {"--seed",  "2", "--scenario", "restarts",
                                         "--nodes", "3", "--seconds",  "20"};
  CHECK(sim.run(line) == 0);
  const std::string trace = sim.line_of("trace: ");
  CHECK(trace.size() == 64);
  CHECK(sim.out_has("scenario: restarts"));
  auto traced = line;
  traced.emplace_back("--trace");
  CHECK(sim.run(traced) == 0);
  CHECK(sim.line_of("trace: ") == trace);
  CHECK(sim.out_has("started"));
}

TEST_CASE("many seeds run at the same time, come out in order, and are summed up") {
  ToolRun sim;
  CHECK(sim.run({"--seeds", "5", "--jobs", "3", "--nodes", "3", "--seconds", "10"}) == 0);
  CHECK(sim.err.empty());
  std::size_t at = 0;
  for (int seed = 1; seed <= 5; ++seed) {
    const std::size_t found = sim.out.find("seed " + std::to_string(seed) + ": good", at);
    REQUIRE(found != std::string::npos);
    at = found;
  }
  CHECK(sim.out_has("5 seeds: 5 good, 0 bad; "));
  sim.on_terminal = true;
  CHECK(sim.run({"--seeds", "2", "--nodes", "2", "--seconds", "5"}) == 0);
  CHECK(sim.err_has("seeds ["));
}

TEST_CASE("a bad run is exit code 1, shrinks to a file, and the file fails in the same way") {
  ToolRun sim;
  const std::string whole = ebb::sim_tool::write_schedule({ebb::tests::bad_schedule(), {}});
  const std::string file = sim.write("bad.toml", whole);
  CHECK(sim.run({"replay", file}) == 1);
  CHECK(sim.out_has("did not converge"));
  CHECK(sim.run({"replay", file, "--shrink", "--tries", "200", "--out", sim.file("small.toml")}) ==
        0);
  CHECK(sim.err_has("replay: ebb-sim replay " + sim.file("small.toml")));
  CHECK(sim.run({"replay", sim.file("small.toml")}) == 1);
  CHECK(sim.out_has("did not converge"));
  CHECK(sim.out_has("as in the file: yes, the same trace"));
  const auto small = ebb::sim_tool::read_schedule(sim.read("small.toml"), "small.toml");
  REQUIRE(small.ok());
  CHECK(small->schedule.faults.empty());
  CHECK(small->schedule.options.nodes == 1);
  CHECK(small->schedule.options.append_batches == 0);
  CHECK(sim.read("small.toml").find("failure = \"convergence\"") != std::string::npos);
}

TEST_CASE("a good run has nothing to shrink") {
  ToolRun sim;
  CHECK(sim.run({"--seed", "1", "--shrink", "--scenario", "calm", "--nodes", "2", "--seconds",
                 "5"}) == 1);
  CHECK(sim.err_has("there is nothing to shrink"));
  CHECK(sim.out.empty());
}
