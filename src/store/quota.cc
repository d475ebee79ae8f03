#include "store/quota.h"

#include <algorithm>
#include <utility>

#include "core/planted.h"

namespace ebb::store {
namespace {

constexpr std::int64_t kDayMs = std::int64_t{24} * 3600 * 1000;

bool is_ahead(std::int64_t day, const QuotaRules& rules) { return day > rules.today + 1; }

// The first that does not end before the day. The days before a span are its own too.
std::vector<QuotaRow>::iterator row_at(QuotaAccount& account, std::int64_t day) {
  return std::lower_bound(account.days.begin(), account.days.end(), day,
                          [](const QuotaRow& row, std::int64_t at) { return row.last < at; });
}

bool covers(const QuotaRow& row, std::int64_t day) {
  return row.last == day || row.first < row.last;
}

// Only the oldest are ever joined, so that the days of now are exact.
void join_oldest(std::vector<QuotaRow>& days) {
  QuotaRow& next = days[1];
  next.first = days[0].first;
  next.bytes += days[0].bytes;
  next.events += days[0].events;
  days.erase(days.begin());
}

void count(QuotaAccount& account, const DayCount& more, const QuotaRules& rules) {
  if (is_ahead(more.day, rules)) {
    QuotaRow& ahead = account.ahead;
    // A day that is over stays so, though our clock goes back.
    if (rules.today > ahead.last) ahead = {rules.today, rules.today, 0, 0};
    ahead.bytes += more.bytes;
    ahead.events += more.events;
    return;
  }
  const auto row = row_at(account, more.day);
  if (row != account.days.end() && covers(*row, more.day)) {
    row->first = std::min(row->first, more.day);
    row->bytes += more.bytes;
    row->events += more.events;
    return;
  }
  account.days.insert(row, {more.day, more.day, more.bytes, more.events});
  while (account.days.size() > std::max<std::size_t>(rules.rows_max, 1))
    join_oldest(account.days);
}

bool within(std::uint64_t used, std::uint64_t a_day, std::uint64_t days) {
  // Rounded up, so that it cannot overflow.
  return used / days + (used % days == 0 ? 0 : 1) <= a_day;
}

bool within(const QuotaRow& row, const QuotaLimit& limit) {
  const auto days =
      static_cast<std::uint64_t>(std::min(row.last - row.first + 1, limits::kQuotaPastDays));
  return within(row.bytes, limit.bytes, days) && within(row.events, limit.events, days);
}

}  // namespace

QuotaLimit control_quota(const QuotaLimit& limit) {
  return {limit.bytes / limits::kQuotaControlShare, limit.events / limits::kQuotaControlShare};
}

std::int64_t quota_day(WallTime time) {
  const std::int64_t day = time.ms / kDayMs;
  return time.ms % kDayMs < 0 ? day - 1 : day;
}

void count_event(std::vector<DayCount>& days, Hlc hlc, std::uint64_t bytes) {
  const std::int64_t day = quota_day(hlc.wall());
  if (days.empty() || days.back().day != day) days.push_back({day, 0, 0});
  days.back().bytes += bytes;
  ++days.back().events;
}

bool admit(QuotaAccount& account, std::span<const DayCount> days, const QuotaRules& rules) {
  QuotaAccount after = account;
  for (const DayCount& more : days)
    count(after, more, rules);
  // A row that is beyond its allowance already refuses nothing that falls into another.
  const auto fits = [&](const DayCount& more) {
    return within(is_ahead(more.day, rules) ? after.ahead : *row_at(after, more.day), rules.limit);
  };
  const bool refuses = rules.refuses && !planted(Bug::kIgnoreQuota);
  if (refuses && !std::all_of(days.begin(), days.end(), fits)) return false;
  account = std::move(after);
  return true;
}

}  // namespace ebb::store
