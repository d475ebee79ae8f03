// Quota: how much a store takes of one author, by the day of the hlc of each event.
//
// Model:   of an author the newest days that have events are counted one by one; older ones become
//          one span, which has the allowance of its days together, so that no count is ever lost
//          and the rows stay few. Days after tomorrow are counted together, by the day on which
//          they come. Control records are counted apart, and have a small allowance of their own.
//          Invariant: no row of an account covers a day that another covers.
// Units:   days are UTC days since 1970; bytes are those of the encoded events.
// Threads: values; any thread.
// Limits:  kQuotaDays rows and that of the days ahead, kQuotaPastDays allowances for the span.
// Spec:    docs/store_format.md section 4
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/hlc.h"
#include "core/limits.h"

namespace ebb::store {

// Of one author and one day.
struct QuotaLimit {
  std::uint64_t bytes = limits::kQuotaBytesPerDay;
  std::uint64_t events = limits::kQuotaEventsPerDay;
};
// What control records have of it, beside it.
QuotaLimit control_quota(const QuotaLimit& limit);

std::int64_t quota_day(WallTime time);

struct DayCount {
  std::int64_t day = 0;
  std::uint64_t bytes = 0;
  std::uint64_t events = 0;
  bool operator==(const DayCount&) const = default;
};
// One event more, of a log: `days` is in the order of its stamps.
void count_event(std::vector<DayCount>& days, Hlc hlc, std::uint64_t bytes);

// The days from `first` to `last` together; one that covers several is the oldest of its account.
struct QuotaRow {
  std::int64_t first = 0, last = 0;
  std::uint64_t bytes = 0;
  std::uint64_t events = 0;
  bool operator==(const QuotaRow&) const = default;
};

// What was taken of one author, of control records or of all else.
struct QuotaAccount {
  std::vector<QuotaRow> days;  // in order
  QuotaRow ahead;              // first and last: the day on which it came
  bool operator==(const QuotaAccount&) const = default;
};

struct QuotaRules {
  QuotaLimit limit;
  std::int64_t today = 0;
  bool refuses = true;  // false: it counts only
  std::size_t rows_max = limits::kQuotaDays;
};
// Counts all of it, or nothing: false where a row that it falls into would be beyond its allowance.
bool admit(QuotaAccount& account, std::span<const DayCount> days, const QuotaRules& rules);

}  // namespace ebb::store
