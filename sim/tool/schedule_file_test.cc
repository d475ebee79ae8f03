// Schedules as files: nothing is lost on the way, and what is wrong is named.
#include "sim/tool/schedule_file.h"

#include <doctest/doctest.h>

#include "sim/cluster.h"
#include "sim/scenarios.h"

using ebb::sim::expand_scenario;
using ebb::sim::Schedule;
using ebb::sim_tool::read_schedule;
using ebb::sim_tool::ScheduleFile;
using ebb::sim_tool::write_schedule;

namespace {

std::string error_of(const std::string& text) {
  const auto read = read_schedule(text, "f.toml");
  return read.ok() ? "" : read.error().detail;
}

}  // namespace

TEST_CASE("whatever seeds expand to is the same after it was written and read") {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    for (const ebb::sim::Scenario& scenario : ebb::sim::scenarios()) {
      const ScheduleFile file{
          ebb::sim::schedule_of(*expand_scenario(scenario.name, seed, 2 + seed % 19)),
          {"order", "00ff"}};
      const auto read = read_schedule(write_schedule(file), "f.toml");
      REQUIRE_MESSAGE(read.ok(), read.error().detail);
      CHECK(read->schedule.options == file.schedule.options);
      CHECK(read->schedule.faults == file.schedule.faults);
      CHECK(read->expected.failure == "order");
      CHECK(read->expected.trace == "00ff");
    }
  }
}

TEST_CASE("options of tests are kept too") {
  Schedule schedule = ebb::sim::schedule_of(*expand_scenario("calm", 1, 5));
  schedule.options.left_out = 3;
  schedule.options.left_out_is_deaf = true;
  schedule.options.left_out_writes = 10;
  schedule.options.quota_events = 500;
  schedule.options.left_out_read_rate = 100;
  schedule.options.steady_interval = ebb::milliseconds(1500);
  const auto read = read_schedule(write_schedule({schedule, {}}), "f.toml");
  REQUIRE_MESSAGE(read.ok(), read.error().detail);
  CHECK(read->schedule == schedule);
}

TEST_CASE("what is wrong in a file is told with its key and line") {
  CHECK(error_of("a = [") == "f.toml line 1: " + error_of("a = [").substr(15));
  CHECK(error_of("trace = \"\"\n") == "f.toml line 1: options: is missing");
  CHECK(error_of("[options]\nseeed = 1\n") ==
        "f.toml line 2: options.seeed: there is no such key; did you mean seed?");
  CHECK(error_of("[options]\nnodes = \"many\"\n") ==
        "f.toml line 2: options.nodes: must be a whole number of at least 0");
  CHECK(error_of("[options]\nnodes = 0\n") ==
        "f.toml line 2: options.nodes: must be from 1 to 100000");
  CHECK(error_of("[options]\nclasses = [\"kil\"]\n") ==
        "f.toml line 2: options.classes: there is no fault class kil");
  CHECK(error_of("[options]\nnodes = 3\n[[fault]]\nclass = \"kill\"\nhost = 3\n") ==
        "f.toml line 5: fault[0].host: must be a whole number from 0 to 2");
  CHECK(error_of("[options]\nnodes = 3\n[[fault]]\nclass = \"kil\"\n") ==
        "f.toml line 4: fault[0].class: must be a fault class, not \"kil\"");
}
