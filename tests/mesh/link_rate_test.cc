#include "mesh/link_rate.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "mesh/delay_control.h"

namespace ebb::tests {
namespace {

using mesh::DelayControl;
using mesh::LinkRate;

// A link of `rate` bytes a second that is kept busy for a while.
void keep_busy(LinkRate& link, Instant& now, std::size_t rate, Duration time) {
  std::size_t waiting = 0;
  for (Duration passed; passed < time; passed = passed + milliseconds(10)) {
    const std::size_t chunk = link.chunk_bytes();
    while (waiting <= chunk) {
      link.sent(now, chunk);
      waiting += chunk;
    }
    now = now + milliseconds(10);
    waiting -= std::min(waiting, rate / 100);
    link.reported(now, waiting);
  }
}

TEST_CASE("the rate of a busy link is found, and followed down and up") {
  LinkRate link;
  Instant now{};
  for (const std::size_t rate : {32000U, 8000U, 200000U, 32000U}) {
    keep_busy(link, now, rate, seconds(20));
    CAPTURE(rate);
    CHECK(link.bytes_per_second() > rate * 9 / 10);
    CHECK(link.bytes_per_second() < rate * 11 / 10);
  }
  CHECK(link.chunk_bytes() > 1400);
  CHECK(link.chunk_bytes() < 1800);
}

TEST_CASE("a chunk takes 50 ms, within its bounds") {
  LinkRate slow;
  Instant now{};
  keep_busy(slow, now, 2000, seconds(60));
  CHECK(slow.chunk_bytes() == LinkRate::kChunkBytesMin);
  LinkRate fast;
  for (int i = 0; i < 10; ++i) {
    fast.sent(now, fast.chunk_bytes());
    fast.reported(now, 0);
  }
  CHECK(fast.chunk_bytes() == limits::kChunkBytes);
}

TEST_CASE("a link that is used now and then is not taken for a slow one") {
  LinkRate link;
  Instant now{};
  const std::uint64_t before = link.bytes_per_second();
  for (int i = 0; i < 100; ++i) {
    link.sent(now, 100);
    now = now + seconds(1);
    link.reported(now, 0);
  }
  CHECK(link.bytes_per_second() >= before);
}

TEST_CASE("the window doubles while no delay is added, and halves when there is") {
  DelayControl control;
  Instant now{};
  const auto round = [&](Duration time) {
    control.sent(control.window());
    control.marked();
    now = now + time;
    control.answered(now, time, 1600);
  };
  const std::size_t first = control.window();
  round(milliseconds(20));
  CHECK(control.window() == 2 * first);
  round(milliseconds(80));  // a single late answer is no queue
  CHECK(control.window() == 4 * first);
  round(milliseconds(80));
  CHECK(control.window() == 4 * first + 1600);
  round(milliseconds(200));
  CHECK(control.window() == 4 * first + 3200);
  round(milliseconds(200));
  CHECK(control.window() == (4 * first + 3200) / 2);
  for (int i = 0; i < 30; ++i)
    round(milliseconds(200));
  CHECK(control.window() == DelayControl::kWindowMin);
  for (int i = 0; i < 2000; ++i)
    round(milliseconds(20));
  CHECK(control.window() == DelayControl::kWindowMax);
}

TEST_CASE("a window that is not used does not grow") {
  DelayControl control;
  Instant now{};
  const std::size_t first = control.window();
  for (int i = 0; i < 20; ++i) {
    control.sent(100);
    control.marked();
    now = now + milliseconds(20);
    control.answered(now, milliseconds(20), 1600);
  }
  CHECK(control.window() == first);
  CHECK(control.unanswered() == 0);
}

TEST_CASE("a path that has become longer is its own measure after ten minutes") {
  DelayControl control;
  Instant now{};
  const auto round = [&](Duration time) {
    control.sent(control.window());
    control.marked();
    now = now + seconds(10);
    control.answered(now, time, 1600);
  };
  round(milliseconds(20));
  for (int i = 0; i < 20; ++i)
    round(milliseconds(300));
  CHECK(control.added_delay() == milliseconds(280));
  for (int i = 0; i < 60; ++i)
    round(milliseconds(300));
  CHECK(control.added_delay() == Duration{});
}

}  // namespace
}  // namespace ebb::tests
