// Work in processes of its own: answers, crashes, and many at a time.
#include "sim/tool/children.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <map>

#include "sim/scenarios.h"
#include "sim/tool/one_run.h"

using ebb::sim_tool::Children;
using ebb::sim_tool::ChildResult;
using ebb::sim_tool::run_child;

TEST_CASE("a child's answer arrives whole, however long it is") {
  const std::string longest(1000000, 'x');
  const auto result = run_child([&] { return longest; });
  REQUIRE(result.ok());
  CHECK(result->answer == longest);
  CHECK_FALSE(result->crashed());
}

TEST_CASE("a child that crashes is told of, with what it said, and others go on") {
  Children children;
  REQUIRE(children.start(7, [] { return std::string("fine"); }).ok());
  REQUIRE(children
              .start(8,
                     []() -> std::string {
                       std::cerr << "about to fall" << std::flush;
                       // As a process without a handler for it: a sanitizer would catch an abort.
                       std::signal(SIGABRT, SIG_DFL);
                       kill(getpid(), SIGKILL);
                       return "never";
                     })
              .ok());
  CHECK(children.running() == 2);
  std::map<std::uint64_t, ChildResult> results;
  while (auto result = children.next())
    results.emplace(result->task, *result);
  REQUIRE(results.size() == 2);
  CHECK(results.at(7).answer == "fine");
  CHECK(results.at(8).crashed());
  CHECK(results.at(8).signal == SIGKILL);
  CHECK(results.at(8).said == "about to fall");
  const ebb::sim_tool::RunResult run = ebb::sim_tool::result_of_child(results.at(8));
  CHECK_FALSE(run.good);
  CHECK(run.failure == "crash");
  CHECK(run.text.find("signal 9") != std::string::npos);
  CHECK(run.text.find("about to fall") != std::string::npos);
}

TEST_CASE("children that nobody waited for end with their owner") {
  pid_t child = 0;
  {
    Children children;
    int pipe_ends[2] = {-1, -1};
    REQUIRE(pipe(pipe_ends) == 0);
    REQUIRE(children
                .start(1,
                       [&]() -> std::string {
                         const pid_t self = getpid();
                         const bool told = write(pipe_ends[1], &self, sizeof self) > 0;
                         while (told)
                           pause();
                         return {};
                       })
                .ok());
    REQUIRE(read(pipe_ends[0], &child, sizeof child) == sizeof child);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
  }
  CHECK(kill(child, 0) != 0);
}

TEST_CASE("a run apart gives the trace of a run here") {
  const auto schedule =
      ebb::sim::schedule_of(*ebb::sim::expand_scenario("faults", 4, 3, ebb::seconds(10)));
  const auto here = ebb::sim_tool::run_here(schedule, {});
  const auto apart = ebb::sim_tool::run_apart(schedule);
  REQUIRE(here.ok());
  REQUIRE(apart.ok());
  CHECK(here->trace == apart->trace);
  CHECK(here->text == apart->text);
}
