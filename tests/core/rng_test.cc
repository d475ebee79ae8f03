#include "core/rng.h"

#include <doctest/doctest.h>

#include <array>

using namespace ebb;

TEST_CASE("the numbers of a seed are the same everywhere") {
  // SplitMix64 from seed 0.
  Rng rng(0);
  CHECK(rng.next() == 0xe220a8397b1dcdafULL);
  CHECK(rng.next() == 0x6e789e6aa1b965f4ULL);
  CHECK(rng.next() == 0x06c45d188009454fULL);
}

TEST_CASE("below and between keep to their bounds and reach them") {
  Rng rng(3);
  std::array<int, 6> seen{};
  for (int i = 0; i < 6000; ++i) {
    const std::uint64_t value = rng.between(10, 15);
    REQUIRE(value >= 10);
    REQUIRE(value <= 15);
    ++seen[value - 10];
  }
  for (const int count : seen)
    CHECK(count > 800);
  CHECK(rng.below(1) == 0);
  CHECK(rng.between(UINT64_MAX, UINT64_MAX) == UINT64_MAX);
  CHECK(rng.between(0, UINT64_MAX) != rng.between(0, UINT64_MAX));
}

TEST_CASE("a fork goes its own way") {
  Rng a(4);
  Rng b(4);
  Rng fork = a.fork();
  b.fork();
  fork.next();
  CHECK(a.next() == b.next());
}
