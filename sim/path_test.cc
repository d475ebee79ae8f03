#include "sim/path.h"

#include <doctest/doctest.h>

#include <algorithm>

using ebb::Duration;
using ebb::Instant;
using ebb::milliseconds;
using ebb::Rng;
using ebb::seconds;
using ebb::sim::Fate;
using ebb::sim::Passage;
using ebb::sim::Path;
using ebb::sim::PathOptions;

namespace {

constexpr Instant kStart{5000000};

}  // namespace

TEST_CASE("a path without limits adds its latency and at most its jitter") {
  const PathOptions options{.latency = milliseconds(100), .jitter = milliseconds(10)};
  Path path;
  Rng rng(1);
  Duration least = seconds(1);
  Duration most;
  for (int i = 0; i < 1000; ++i) {
    const Passage passage = path.carry(options, kStart, 1500, rng);
    REQUIRE(passage.fate == Fate::kCarried);
    least = std::min(least, passage.due - kStart);
    most = std::max(most, passage.due - kStart);
  }
  CHECK(least >= milliseconds(100));
  CHECK(least < milliseconds(101));
  CHECK(most <= milliseconds(110));
  CHECK(most > milliseconds(109));
}

TEST_CASE("a rate spaces packets out, and an idle path saves nothing up") {
  const PathOptions options{.latency = milliseconds(100), .rate = 32000};
  Path path;
  Rng rng(1);
  CHECK(path.carry(options, kStart, 1600, rng).due == kStart + milliseconds(150));
  CHECK(path.carry(options, kStart, 1600, rng).due == kStart + milliseconds(200));
  const Instant later = kStart + seconds(60);
  CHECK(path.carry(options, later, 1600, rng).due == later + milliseconds(150));
}

TEST_CASE("a full queue drops what comes and takes packets again as it drains") {
  const PathOptions options{.rate = 32000, .queue_bytes = 3200};
  Path path;
  Rng rng(1);
  CHECK(path.carry(options, kStart, 1600, rng).fate == Fate::kCarried);
  CHECK(path.carry(options, kStart, 1600, rng).fate == Fate::kCarried);
  CHECK(path.carry(options, kStart, 1600, rng).fate == Fate::kNoRoom);
  CHECK(path.carry(options, kStart + milliseconds(49), 1600, rng).fate == Fate::kNoRoom);
  CHECK(path.carry(options, kStart + milliseconds(50), 1600, rng).fate == Fate::kCarried);
}

TEST_CASE("a loss of 10 percent loses about that, and what is lost has used the rate") {
  const PathOptions options{.rate = 1000000, .loss_permille = 100};
  Path path;
  Rng rng(3);
  int lost = 0;
  Instant last;
  for (int i = 0; i < 10000; ++i) {
    const Passage passage = path.carry(options, kStart, 1000, rng);
    lost += passage.fate == Fate::kLost ? 1 : 0;
    last = passage.due;
  }
  CHECK(lost > 900);
  CHECK(lost < 1100);
  CHECK(last == kStart + seconds(10));
}

TEST_CASE("the same seed gives a path the same passages") {
  const PathOptions options{
      .latency = milliseconds(1), .jitter = milliseconds(50), .rate = 9000, .loss_permille = 300};
  Path a;
  Path b;
  Rng rng_a(9);
  Rng rng_b(9);
  for (int i = 0; i < 200; ++i) {
    const Instant now = kStart + milliseconds(i);
    const Passage one = a.carry(options, now, 100, rng_a);
    const Passage two = b.carry(options, now, 100, rng_b);
    CHECK(one.due == two.due);
    CHECK(one.fate == two.fate);
  }
}
