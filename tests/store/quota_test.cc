// How much of an author is taken, by itself: accounts, days and allowances.
#include "store/quota.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>

#include "core/rng.h"

namespace ebb::tests {
namespace {

using store::admit;
using store::DayCount;
using store::QuotaAccount;
using store::QuotaRow;
using store::QuotaRules;

constexpr std::int64_t kToday = 20000;
constexpr std::int64_t kDayMs = std::int64_t{24} * 3600 * 1000;
constexpr QuotaRules kRules{{1000, 10}, kToday, true, 4};

bool add(QuotaAccount& account, std::int64_t day, std::uint64_t bytes, std::uint64_t events,
         const QuotaRules& rules = kRules) {
  const DayCount one{day, bytes, events};
  return admit(account, {&one, 1}, rules);
}

TEST_CASE("events are counted on the day of their stamps") {
  std::vector<DayCount> days;
  const auto stamp = [](std::int64_t ms) { return Hlc::at(WallTime{ms}, 7); };
  count_event(days, stamp(kToday * kDayMs - 1), 10);
  count_event(days, stamp(kToday * kDayMs), 20);
  count_event(days, stamp((kToday + 1) * kDayMs - 1), 30);
  count_event(days, stamp((kToday + 9) * kDayMs), 40);
  CHECK(days == std::vector<DayCount>{{kToday - 1, 10, 1}, {kToday, 50, 2}, {kToday + 9, 40, 1}});
  CHECK(store::quota_day(WallTime{-1}) == -1);
  CHECK(store::quota_day(WallTime{-kDayMs}) == -1);
  CHECK(store::quota_day(WallTime{0}) == 0);
}

TEST_CASE("a day takes its allowance to the last byte and event, and what is refused counts not") {
  QuotaAccount account;
  CHECK(add(account, kToday, 999, 9));
  CHECK(add(account, kToday, 1, 1));
  const QuotaAccount full = account;
  CHECK(!add(account, kToday, 1, 0));
  CHECK(!add(account, kToday, 0, 1));
  CHECK(account == full);
  CHECK(add(account, kToday - 1, 1000, 10));
  CHECK(add(account, kToday + 1, 1000, 10));
}

TEST_CASE("what has events of a full day is refused with those of all others") {
  QuotaAccount account;
  REQUIRE(add(account, kToday, 1000, 1));
  const QuotaAccount before = account;
  const std::vector<DayCount> both = {{kToday - 1, 10, 1}, {kToday, 10, 1}};
  CHECK(!admit(account, both, kRules));
  CHECK(account == before);
  CHECK(admit(account, {both.data(), 1}, kRules));
}

TEST_CASE("days after tomorrow share an allowance, which each day on which they come brings") {
  QuotaAccount account;
  CHECK(add(account, kToday + 2, 500, 1));
  CHECK(add(account, kToday + 3000000, 500, 1));
  CHECK(!add(account, kToday + 400, 1, 1));
  CHECK(account.days.empty());
  CHECK(add(account, kToday + 1, 1000, 1));
  QuotaRules next = kRules;
  ++next.today;
  CHECK(!add(account, kToday + 1, 1, 1, next));  // no longer ahead, nor was it
  CHECK(add(account, kToday + 2, 1000, 1, next));
  CHECK(add(account, kToday + 400, 1000, 1, next));
  CHECK(!add(account, kToday + 400, 1, 1, next));
}

TEST_CASE("the allowance of days ahead comes once for each day, though a clock goes back") {
  QuotaAccount account;
  QuotaRules rules = kRules;
  CHECK(add(account, kToday + 30, 10, 10, rules));
  rules.today = kToday - 1;
  CHECK(!add(account, kToday + 30, 1, 1, rules));
  rules.today = kToday;
  CHECK(!add(account, kToday + 30, 1, 1, rules));
  rules.today = kToday + 1;
  CHECK(add(account, kToday + 30, 10, 10, rules));
}

TEST_CASE("where nothing is refused everything counts, and a day beyond its allowance is its own") {
  QuotaAccount account;
  QuotaRules counts = kRules;
  counts.refuses = false;
  CHECK(add(account, kToday, 5000, 1, counts));
  CHECK(account.days == std::vector<QuotaRow>{{kToday, kToday, 5000, 1}});
  CHECK(!add(account, kToday, 1, 1));
  CHECK(add(account, kToday - 1, 1, 1));
}

TEST_CASE("days before the newest ones are a span with the allowance of its days") {
  QuotaAccount account;
  for (std::int64_t day = 1; day <= 6; ++day)
    CHECK(add(account, day, 100, 1));
  CHECK(account.days ==
        std::vector<QuotaRow>{{1, 3, 300, 3}, {4, 4, 100, 1}, {5, 5, 100, 1}, {6, 6, 100, 1}});
  CHECK(add(account, 2, 2700, 1));
  CHECK(!add(account, 2, 1, 1));
  CHECK(!add(account, 3, 1, 1));
  CHECK(add(account, 4, 900, 1));
  CHECK(!add(account, 4, 1, 1));
  // A day before all of them is one more of the span.
  CHECK(add(account, 0, 1000, 1));
  CHECK(account.days[0] == QuotaRow{0, 3, 4000, 5});
  CHECK(!add(account, 1, 1, 1));
}

TEST_CASE("a span has no more allowances than there may be, however far it reaches") {
  QuotaAccount account;
  QuotaRules rules = kRules;
  rules.limit.events = 1000000000;
  for (const std::int64_t day : {0, 1, 19996, 19997, 19998, 19999})
    CHECK(add(account, day, 1, 1, rules));
  REQUIRE(account.days[0].last - account.days[0].first > limits::kQuotaPastDays);
  const auto all = static_cast<std::uint64_t>(limits::kQuotaPastDays) * 1000;
  CHECK(!add(account, 2, all - account.days[0].bytes + 1, 1, rules));
  CHECK(add(account, 2, all - account.days[0].bytes, 1, rules));
  rules.limit = {UINT64_MAX, UINT64_MAX};
  CHECK(add(account, 2, UINT64_MAX / 2, 1, rules));
}

TEST_CASE("millions of days leave no more rows than there may be, and lose no count") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    Rng rng(seed);
    QuotaAccount account;
    QuotaRules rules = kRules;
    rules.rows_max = 1 + rng.below(limits::kQuotaDays);
    std::uint64_t bytes = 0;
    std::uint64_t ahead = 0;
    for (int i = 0; i < 20000; ++i) {
      const auto day = static_cast<std::int64_t>(rng.below(rng.chance(1, 2) ? 4000000 : 20002));
      const std::uint64_t some = rng.below(400);
      if (!add(account, day, some, 1, rules)) continue;
      (day > kToday + 1 ? ahead : bytes) += some;
      REQUIRE(account.days.size() <= rules.rows_max);
    }
    std::uint64_t counted = 0;
    std::int64_t last = -1;
    for (const QuotaRow& row : account.days) {
      CHECK(row.first > last);
      CHECK(row.last >= row.first);
      CHECK((row.first == row.last || row.last == account.days[0].last));
      last = row.last;
      counted += row.bytes;
    }
    CHECK(counted == bytes);
    CHECK(account.ahead.bytes == ahead);
    CHECK(account.ahead.events == 10);
  }
}

// Days in any order, as long as none had to be joined: as a table of days says.
TEST_CASE("few days are counted as by hand") {
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    Rng rng(seed);
    QuotaAccount account;
    QuotaRules rules = kRules;
    rules.rows_max = 6;
    std::map<std::int64_t, DayCount> by_hand;
    std::size_t refused = 0;
    for (int i = 0; i < 60; ++i) {
      std::vector<DayCount> more;
      std::int64_t day = kToday - 4 + static_cast<std::int64_t>(rng.below(4));
      for (std::uint64_t parts = 1 + rng.below(3); parts > 0; --parts, day += 1)
        more.push_back({day, rng.below(200), 1 + rng.below(2)});
      const bool fits = std::all_of(more.begin(), more.end(), [&](const DayCount& part) {
        const DayCount& used = by_hand[part.day];
        return used.bytes + part.bytes <= 1000 && used.events + part.events <= 10;
      });
      REQUIRE(admit(account, more, rules) == fits);
      if (!fits) ++refused;
      for (const DayCount& part : more) {
        if (!fits) break;
        by_hand[part.day].bytes += part.bytes;
        by_hand[part.day].events += part.events;
      }
    }
    CHECK(refused > 0);
    CHECK(refused < 60);
  }
}

}  // namespace
}  // namespace ebb::tests
