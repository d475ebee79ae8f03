#include "core/hlc.h"

#include <doctest/doctest.h>

#include "core/limits.h"
#include "core/rng.h"

using namespace ebb;

TEST_CASE("a stamp holds 48 bits of milliseconds and 16 of counter") {
  const Hlc hlc = Hlc::at({1700000000000}, 7);
  CHECK(hlc.wall().ms == 1700000000000);
  CHECK(hlc.counter() == 7);
  CHECK(Hlc::at({-5}).value == 0);
  CHECK(Hlc::at({std::int64_t{1} << 60}, 0xffff).value == UINT64_MAX);
}

TEST_CASE("stamps increase strictly, whatever the wall clock does") {
  Rng rng(2);
  HlcClock clock;
  Hlc last;
  for (int i = 0; i < 10000; ++i) {
    const WallTime now{static_cast<std::int64_t>(rng.below(1000))};
    if (rng.chance(1, 4)) clock.observe({rng.below(1000) << 16}, now);
    const Hlc stamp = clock.tick(now);
    CHECK(stamp > last);
    CHECK(stamp >= Hlc::at(now));
    last = stamp;
  }
}

TEST_CASE("a clock that stands still counts, and its counter runs over into the time") {
  HlcClock clock;
  const WallTime now{1000};
  CHECK(clock.tick(now) == Hlc::at(now));
  for (int i = 1; i <= 0xffff; ++i)
    clock.tick(now);
  CHECK(clock.last() == Hlc::at(now, 0xffff));
  CHECK(clock.tick(now) == Hlc::at({1001}));
}

TEST_CASE("a clock continues after the stamp it was given") {
  HlcClock clock(Hlc::at({5000}, 9));
  CHECK(clock.tick({10}) == Hlc::at({5000}, 10));
}

TEST_CASE("a remote time pulls the clock ahead, but no further than the bound") {
  HlcClock clock;
  const WallTime now{1000000};
  clock.observe(Hlc::at({now.ms + 10}), now);
  CHECK(clock.tick(now) > Hlc::at({now.ms + 10}));
  clock.observe({UINT64_MAX}, now);
  CHECK(clock.last() == Hlc::at({now.ms + limits::kRemoteAheadMs}));
  clock.observe(Hlc::at({5}), now);
  CHECK(clock.last() == Hlc::at({now.ms + limits::kRemoteAheadMs}));
}
