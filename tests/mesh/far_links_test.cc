// Catch-up over links with long round trips.
#include <doctest/doctest.h>

#include "tests/mesh/holders.h"

namespace ebb::tests {
namespace {

TEST_CASE("many small logs come over a far link in windows that grow") {
  Duration latency;
  SUBCASE("of 1 s there and back") { latency = milliseconds(500); }
  SUBCASE("of 3 s") { latency = milliseconds(1500); }
  Holders rig({0, 0});
  rig.latency = latency;
  rig.write_logs(600, 1);
  rig.start(0);
  rig.start(kReader);
  const auto took = rig.fetch(seconds(600));
  REQUIRE(took);
  MESSAGE(took->ms() << " ms");
  // Greeting and exchange, then 8, 8, 16, 16 and so on at a time.
  CHECK(*took <= latency * 2 * 26);
  CHECK(rig.redundant() == 0);
}

TEST_CASE("two far holders share without fetching much twice") {
  bool is_one_log = false;
  SUBCASE("one log") { is_one_log = true; }
  SUBCASE("many") {}
  const auto fetch = [is_one_log](bool from_both) {
    Holders rig({kHolderRate, kHolderRate});
    rig.latency = milliseconds(750);
    if (is_one_log) {
      rig.write_long_log(600, 600);
    } else {
      rig.write_logs(200, 3);
    }
    rig.start(0);
    if (from_both) rig.start(1);
    rig.start(kReader);
    const auto took = rig.fetch(seconds(600));
    REQUIRE(took);
    MESSAGE(took->ms() << " ms, " << rig.redundant() << " events of " << rig.events << " twice");
    CHECK(rig.redundant() * 100 <= rig.events * 5);
    return *took;
  };
  const Duration one = fetch(false);
  CHECK(fetch(true) <= one + seconds(3));
}

}  // namespace
}  // namespace ebb::tests
