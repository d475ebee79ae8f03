#include "mesh/fetch_rate.h"

#include <doctest/doctest.h>

namespace ebb::tests {
namespace {

using mesh::FetchRate;

Instant at(std::int64_t ms) { return Instant{} + milliseconds(ms); }

TEST_CASE("the rate of a link is what it brings while it is asked") {
  FetchRate rate;
  CHECK(rate.bytes_per_second(at(0)) == 0);
  rate.asked(at(0));
  rate.came(at(100), 10000);
  CHECK(rate.bytes_per_second(at(100)) == 100000);  // all there is to go by
  rate.came(at(200), 10000);
  CHECK(rate.bytes_per_second(at(200)) == 100000);
  rate.came(at(400), 60000);
  CHECK(rate.bytes_per_second(at(400)) == 200000);  // half of it is new
  rate.came(at(410), 2000);
  rate.answered(at(410));
  CHECK(rate.bytes_per_second(at(410)) == 200000);
  // Nobody asks: it is no slower for it.
  CHECK(rate.bytes_per_second(at(100000)) == 200000);
  rate.asked(at(100000));
  rate.came(at(100100), 20000);
  rate.answered(at(100100));
  CHECK(rate.bytes_per_second(at(100100)) == 200000);
}

TEST_CASE("a link that owes an answer and brings nothing becomes slower by itself") {
  FetchRate rate;
  rate.asked(at(0));
  rate.came(at(1000), 100000);
  CHECK(rate.bytes_per_second(at(1500)) == 100000);
  CHECK(rate.bytes_per_second(at(3000)) == 0);
  rate.came(at(3000), 20000);
  CHECK(rate.bytes_per_second(at(3000)) == 55000);
}

TEST_CASE("the window of logs doubles when as many came quickly, and halves when one took long") {
  FetchRate rate;
  CHECK(rate.window() == FetchRate::kWindowAtFirst);
  for (std::size_t i = 1; i < FetchRate::kWindowAtFirst; ++i)
    rate.log_came(milliseconds(10));
  CHECK(rate.window() == FetchRate::kWindowAtFirst);
  rate.log_came(milliseconds(10));
  CHECK(rate.window() == 2 * FetchRate::kWindowAtFirst);
  rate.log_came(seconds(1));  // neither
  CHECK(rate.window() == 2 * FetchRate::kWindowAtFirst);
  rate.log_came(seconds(3));
  CHECK(rate.window() == FetchRate::kWindowAtFirst);
  for (int i = 0; i < 10; ++i)
    rate.log_came(seconds(3));
  CHECK(rate.window() == FetchRate::kWindowMin);
  for (std::size_t i = 0; i < 4 * limits::kLogsAskedAtOnce; ++i)
    rate.log_came(milliseconds(10));
  CHECK(rate.window() == limits::kLogsAskedAtOnce);
}

}  // namespace
}  // namespace ebb::tests
