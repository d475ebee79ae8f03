#include "mesh/fetch_rate.h"

#include <doctest/doctest.h>

namespace ebb::tests {
namespace {

using mesh::FetchRate;

constexpr Duration kNear = milliseconds(20);  // round trip

Instant at(std::int64_t ms) { return Instant{} + milliseconds(ms); }

TEST_CASE("the rate of a link is what it brings while it is asked") {
  FetchRate rate;
  CHECK(rate.bytes_per_second(at(0), kNear, 0) == 0);
  rate.asked(at(0));
  rate.came(at(100), 10000);
  CHECK(rate.bytes_per_second(at(100), kNear, 0) == 100000);  // all there is to go by
  rate.came(at(200), 10000);
  CHECK(rate.bytes_per_second(at(200), kNear, 0) == 100000);
  rate.came(at(400), 60000);
  CHECK(rate.bytes_per_second(at(400), kNear, 0) == 200000);  // half of it is new
  rate.came(at(410), 2000);
  rate.answered(at(410), kNear);
  CHECK(rate.bytes_per_second(at(410), kNear, 0) == 200000);
  // Nobody asks: it is no slower for it.
  CHECK(rate.bytes_per_second(at(100000), kNear, 0) == 200000);
  rate.asked(at(100000));
  rate.came(at(100100), 20000);
  rate.answered(at(100100), kNear);
  CHECK(rate.bytes_per_second(at(100100), kNear, 0) == 200000);
}

TEST_CASE("what nobody asked for makes a link no faster") {
  FetchRate rate;
  rate.came(at(0), 1000000);
  CHECK(rate.is_untried());
  rate.asked(at(1000));
  rate.came(at(1200), 20000);
  rate.answered(at(1200), kNear);
  rate.came(at(1300), 1000000);
  rate.asked(at(2000));
  rate.came(at(2200), 20000);
  CHECK(rate.bytes_per_second(at(2200), kNear, 0) == 100000);
}

TEST_CASE("a link that owes an answer and brings nothing becomes slower by itself") {
  FetchRate rate;
  rate.asked(at(0));
  rate.came(at(1000), 100000);
  CHECK(rate.bytes_per_second(at(1500), kNear, 0) == 100000);
  CHECK(rate.bytes_per_second(at(3000), kNear, 0) == 0);
  rate.came(at(3000), 20000);
  CHECK(rate.bytes_per_second(at(3000), kNear, 0) == 55000);
}

TEST_CASE("the window of logs doubles when as many came quickly, and halves when one took long") {
  FetchRate rate;
  CHECK(rate.window() == FetchRate::kWindowAtFirst);
  for (std::size_t i = 1; i < FetchRate::kWindowAtFirst; ++i)
    rate.log_came(milliseconds(10), kNear);
  CHECK(rate.window() == FetchRate::kWindowAtFirst);
  rate.log_came(milliseconds(10), kNear);
  CHECK(rate.window() == 2 * FetchRate::kWindowAtFirst);
  rate.log_came(seconds(1), kNear);  // neither
  CHECK(rate.window() == 2 * FetchRate::kWindowAtFirst);
  rate.log_came(seconds(3), kNear);
  CHECK(rate.window() == FetchRate::kWindowAtFirst);
  for (int i = 0; i < 10; ++i)
    rate.log_came(seconds(3), kNear);
  CHECK(rate.window() == FetchRate::kWindowMin);
  for (std::size_t i = 0; i < 4 * limits::kLogsAskedAtOnce; ++i)
    rate.log_came(milliseconds(10), kNear);
  CHECK(rate.window() == limits::kLogsAskedAtOnce);
}

TEST_CASE("a link that answered with nothing after a silence is as slow as it showed itself") {
  FetchRate rate;
  rate.asked(at(0));
  rate.came(at(1000), 100000);
  rate.answered(at(1000), kNear);
  CHECK(!rate.is_untried());
  rate.asked(at(5000));
  CHECK(!rate.is_silent(at(5900), kNear, 0));
  CHECK(rate.is_silent(at(6500), kNear, 0));
  CHECK(!rate.is_silent(at(6500), kNear, 1));
  rate.answered(at(6500), kNear);
  CHECK(rate.bytes_per_second(at(6500), kNear, 0) == 0);
  CHECK(rate.is_untried());
  // At once is no silence.
  rate.asked(at(7000));
  rate.came(at(7200), 20000);
  rate.answered(at(7200), kNear);
  rate.asked(at(8000));
  rate.answered(at(8500), kNear);
  CHECK(rate.bytes_per_second(at(9000), kNear, 0) == 100000);
}

TEST_CASE("what has come of a large message is no silence") {
  FetchRate rate;
  rate.asked(at(0));
  rate.came(at(1000), 20000);
  CHECK(rate.bytes_per_second(at(3000), kNear, 40000) == 20000);
  CHECK(rate.bytes_per_second(at(3000), kNear, 10000) == 5000);
}

TEST_CASE("a round trip is neither silence nor slowness") {
  FetchRate rate;
  const Duration round = seconds(3);
  rate.asked(at(0));
  rate.came(at(4000), 400000);
  CHECK(rate.bytes_per_second(at(9000), round, 0) == 100000);
  CHECK(rate.bytes_per_second(at(10000), round, 0) == 0);
  for (std::size_t i = 0; i < FetchRate::kWindowAtFirst; ++i)
    rate.log_came(seconds(4), round);
  CHECK(rate.window() == 2 * FetchRate::kWindowAtFirst);
  rate.log_came(seconds(11), round);  // neither
  CHECK(rate.window() == 2 * FetchRate::kWindowAtFirst);
  rate.log_came(seconds(13), round);
  CHECK(rate.window() == FetchRate::kWindowAtFirst);
}

}  // namespace
}  // namespace ebb::tests
