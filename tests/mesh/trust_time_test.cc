#include "mesh/trust_time.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "core/limits.h"

using ebb::WallTime;
using ebb::mesh::OwnClock;
using ebb::mesh::trust_time;

namespace {

constexpr std::int64_t kDay = ebb::limits::kDayMs;
WallTime day(std::int64_t n) { return {n * kDay}; }
bool for_ever(WallTime) { return true; }
bool never(WallTime) { return false; }
using Lasts = bool (*)(WallTime);
WallTime by(const OwnClock& own, const std::vector<WallTime>& peers, Lasts lasts = never) {
  return trust_time(own, day(100), peers, lasts).at;
}
bool is_overruled(const OwnClock& own, const std::vector<WallTime>& peers) {
  return trust_time(own, day(100), peers, never).overruled;
}

}  // namespace

TEST_CASE("a clock alone is believed, but for the floor") {
  CHECK(by({day(500)}, {}) == day(500));
  CHECK(by({day(99)}, {}) == day(100));
  CHECK(by({day(500), true}, {}) == day(500));
  CHECK_FALSE(is_overruled({day(1)}, {}));
}

TEST_CASE("more than half of all clocks overrule the own one, and no fewer") {
  CHECK(by({day(500)}, {day(480), day(480)}) == day(480));
  CHECK(by({day(400)}, {day(480), day(480)}) == day(480));
  CHECK(is_overruled({day(500)}, {day(480), day(480)}));
  // Two of nine, set wrong alike.
  std::vector<WallTime> most(6, day(500));
  most.insert(most.end(), 2, day(300));
  CHECK(by({day(500)}, most) == day(500));
  CHECK_FALSE(is_overruled({day(500)}, most));
  // Exactly half are none.
  CHECK(by({day(500)}, {day(500), day(300), day(300)}, for_ever) == day(500));
  CHECK(by({day(500)}, {day(300)}, for_ever) == day(500));
}

TEST_CASE("clocks within a day of the majority keep their own time") {
  const WallTime own{day(500).ms + 3600000};
  CHECK(by({own}, {day(500), day(500), day(501)}) == own);
  CHECK_FALSE(is_overruled({own}, {day(500), day(500)}));
}

TEST_CASE("a doubted clock and those before the floor are no witnesses") {
  CHECK(by({day(900), true}, {day(500)}, for_ever) == day(500));
  CHECK(by({day(20)}, {day(500)}, for_ever) == day(500));
  CHECK(by({day(500)}, {day(20), day(20), day(99)}) == day(500));
  CHECK(by({day(20)}, {day(30), day(31)}) == day(100));
}

TEST_CASE("without a majority the own certificate says which clock can be right") {
  const Lasts until_600 = [](WallTime at) { return at < day(600); };
  CHECK(by({day(900)}, {day(500), day(1500)}, for_ever) == day(900));
  CHECK(by({day(550)}, {day(500), day(1500)}, until_600) == day(550));
  CHECK(by({day(900)}, {day(500), day(1500)}, until_600) == day(500));
  CHECK(by({day(900)}, {day(500)}, until_600) == day(500));
  CHECK(by({day(900)}, {day(700), day(1500)}, until_600) == day(100));
  // One alone is no majority.
  CHECK(by({day(550), true}, {day(900)}, until_600) == day(100));
  CHECK(by({day(900)}, {day(700)}, never) == day(100));
}

TEST_CASE("the order of peers does not matter") {
  std::vector<WallTime> peers = {day(510), day(200), day(511), day(511), day(510)};
  std::sort(peers.begin(), peers.end());
  do {
    CHECK(by({day(900)}, peers) == day(510));
  } while (std::next_permutation(peers.begin(), peers.end()));
}
