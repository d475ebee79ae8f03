#include "trust/time_floor.h"

#include <doctest/doctest.h>

#include <array>

#include "core/limits.h"
#include "tests/trust/authority_rig.h"

using namespace ebb;
using namespace ebb::tests;
using namespace ebb::trust;

TEST_CASE("the floor never goes back, and time is the later of it and the wall clock") {
  TimeFloor floor(days(-30), {.by_root = days(5), .by_issuers = days(2)});
  CHECK(floor.judged(days(1)) == days(5));
  CHECK(floor.judged(days(6)) == days(6));
  CHECK_FALSE(floor.take_from_root(days(4)));
  CHECK_FALSE(floor.take_from_root(days(5)));
  CHECK(floor.floor() == days(5));
  CHECK(floor.take_from_root(days(900)));
  CHECK(floor.judged(days(6)) == days(900));
}

TEST_CASE("an issuer moves the floor only to where the own clock and those of two peers are") {
  const WallTime at = days(10);
  const std::array<WallTime, 3> peers{days(9), days(11), days(400)};
  const std::span<const WallTime> all(peers);
  TimeFloor floor(days(-30));
  CHECK_FALSE(floor.take_from_issuer(at, at, all.last(2)));
  CHECK_FALSE(floor.take_from_issuer(at, at, {}));
  CHECK_FALSE(floor.take_from_issuer(at, {days(11).ms + 1}, all));
  CHECK_FALSE(floor.take_from_issuer(at, {days(9).ms - 1}, all));
  CHECK(floor.floor() == days(-30));
  CHECK(floor.take_from_issuer(at, days(11), all));
  CHECK(floor.floor() == at);
  CHECK_FALSE(floor.take_from_issuer({at.ms - 1}, at, all));
  CHECK(floor.take_from_issuer({at.ms + 1}, at, all.first(2)) == false);
}

TEST_CASE(
    "one record of an issuer moves the floor by one step, and leaves the root's where it is") {
  constexpr std::int64_t kStep = limits::kTimeFloorStepMs;
  const WallTime at = days(5000);
  const std::array<WallTime, 2> peers{at, at};
  TimeFloor floor(days(0));
  CHECK(floor.take_from_issuer(at, at, peers));
  CHECK(floor.floor() == WallTime{kNow.ms + kStep});
  CHECK(floor.kept().by_root == kNow);
  CHECK(floor.take_from_root(days(1)));
  CHECK(floor.kept().by_root == days(1));
  CHECK(floor.take_from_issuer(at, at, peers));
  CHECK(floor.floor() == WallTime{kNow.ms + 2 * kStep});
  const TimeFloor again(days(0), floor.kept());
  CHECK(again.floor() == floor.floor());
  CHECK(again.kept().by_root == days(1));
}
