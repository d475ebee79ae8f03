// Every planted bug, from seed 1 up until it is caught. What it prints are the rows of the table in
// sim/planted_test.cc.
#include <doctest/doctest.h>

#include <iostream>
#include <string>

#include "sim/planted_bugs.h"
#include "sim/planted_runs.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"

using ebb::Bug;
using ebb::sim::caught_by;
using ebb::sim::Outcome;

namespace {

constexpr std::uint64_t kSeedsToFind = 100;

Outcome run(std::uint64_t seed, Bug bug) {
  const ebb::tests::TempDir dir;
  return ebb::sim::run_planted(seed, bug, dir.path().string());
}

}  // namespace

TEST_CASE("every planted bug is caught within 100 seeds, from seed 1 up") {
  REQUIRE(ebb::trust::crypto_ready().ok());
  for (const ebb::sim::PlantedInfo& info : ebb::sim::planted_bugs()) {
    std::uint64_t seed = 1;
    auto caught = caught_by(run(seed, info.bug));
    while (caught.empty() && seed < kSeedsToFind)
      caught = caught_by(run(++seed, info.bug));
    CHECK_MESSAGE(!caught.empty(), info.name << " is caught by no checker");
    std::string line = "    {\"" + std::string(info.name) + "\", " + std::to_string(seed) + ", {";
    for (const std::string& checker : caught)
      line += "\"" + checker + "\", ";
    std::cout << line << "}},\n" << std::flush;
  }
}
