// A log that is fetched in parts while the disk here, or a holder, is not as it should be.
#include <doctest/doctest.h>

#include "core/limits.h"
#include "tests/mesh/holders.h"

namespace ebb::tests {
namespace {

constexpr std::size_t kSegments = 600;  // of 40 events and 17 kB
constexpr std::uint64_t kEvents = kSegments * 40;

void check_in_sync(Holders& rig) {
  rig.run_for(seconds(5));  // the last commits are answered
  for (const mesh::LinkStatus& link : rig.engine(kReader).links())
    CHECK(link.state == "in_sync");
  CHECK(rig.node(kReader).faults.empty());
}

TEST_CASE("what comes next and finds no room is no claim that was wrong") {
  Holders rig({kHolderRate, kHolderRate});
  rig.write_long_log(kSegments, kSegments);
  rig.node(kReader).config.tuning.inbound_bytes = std::size_t{1} << 20;
  bool dies = false;
  SUBCASE("of two holders") {}
  SUBCASE("of one that is left") { dies = true; }
  rig.start_all();
  rig.run_until_events(kEvents / 5);
  rig.commit_delay = seconds(2);
  rig.run_for(seconds(1));
  REQUIRE(rig.engine(kReader).sharing().logs == 1);
  if (dies) rig.stop(1);
  REQUIRE(rig.fetch(seconds(120)));

  check_in_sync(rig);
}

TEST_CASE("a commit of another log that fails costs a shared log nothing that waits") {
  Holders rig({kHolderRate, kHolderRate});
  rig.write_long_log(kSegments, kSegments);
  rig.start_all();
  rig.run_until_events(kEvents / 5);
  const std::uint64_t before = rig.redundant();
  mesh::Committed failed;
  failed.failed = Error{ErrorCode::kDiskFull, "test"};
  rig.input(kReader, failed);
  rig.run_for(milliseconds(900));
  CHECK(rig.engine(kReader).sharing().logs == 1);
  rig.run_for(milliseconds(200));
  CHECK(rig.engine(kReader).sharing().logs == 1);
  CHECK(rig.redundant() == before);
  const auto rest = rig.fetch(seconds(60));
  REQUIRE(rest);
  MESSAGE(rig.redundant() << " events of " << rig.events << " twice, after " << rest->ms()
                          << " ms");
  CHECK(rig.redundant() * 100 <= rig.events * 3);
  check_in_sync(rig);
}

TEST_CASE("a link that stops sending is given up, whatever of it waits here") {
  Holders rig({kHolderRate, kHolderRate});
  rig.write_long_log(kSegments, kSegments);
  rig.start_all();
  rig.run_until_events(kEvents / 5);
  rig.node(1).mute = true;
  rig.run_for(milliseconds(600));
  rig.read_delay = seconds(36000);  // of its disk: pings are answered
  rig.run_for(seconds(5));
  REQUIRE(rig.engine(kReader).sharing().staged_bytes > 0);
  rig.run_for(seconds(75));
  CHECK(rig.engine(kReader).sharing().staged_bytes == 0);
}

}  // namespace
}  // namespace ebb::tests
