// QuotaTable: what was taken of each author, in the table `quotas`; QuotaStage: what one
// transaction adds to it, so that a failed one leaves no trace.
//
// Model:   the accounts of an author are read when a commit brings something of it; only their
//          number is in memory. Events of this device that come back to it are not counted.
//          While the clock is suspect everything is counted and nothing refused.
// Threads: not thread-safe; owned by the store.
// Errors:  kCorrupt for rows of another form; those of store/sqlite.h.
// Limits:  kQuotaDays + 1 rows of an author and kind; beyond kQuotaRows in all an author that needs
//          another keeps kQuotaDaysFew.
// Spec:    docs/store_format.md sections 3 and 4
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <span>

#include "core/clock_judge.h"
#include "core/ids.h"
#include "core/result.h"
#include "store/quota.h"
#include "store/sqlite.h"

namespace ebb::store {

class QuotaTable {
 public:
  QuotaTable(const DeviceId& own, const QuotaLimit& limit) : own_(own), limit_(limit) {}
  Status open(const Connection& connection);
  std::size_t row_count() const { return rows_; }

 private:
  friend class QuotaStage;
  DeviceId own_;
  QuotaLimit limit_;
  std::size_t rows_ = 0;
  Statement read_;
  Statement put_;
  Statement drop_;
};

class QuotaStage {
 public:
  QuotaStage(QuotaTable& table, const ClockVerdict& now)
      : table_(table), today_(quota_day(now.time)), refuses_(!now.suspect()) {}

  // Counts events of that log, or says that there is no room for them: then none is counted.
  Result<bool> admit(const LogKey& key, std::span<const DayCount> days);
  Status write();
  void committed();

 private:
  using Accounts = std::array<QuotaAccount, 2>;  // all else, control records
  struct Author {
    Accounts before, after;
  };
  Result<Author*> author(const DeviceId& device);
  Status write_kind(const DeviceId& device, int kind, std::span<const QuotaRow> before,
                    std::span<const QuotaRow> after);

  QuotaTable& table_;
  std::int64_t today_;
  bool refuses_;
  std::map<DeviceId, Author> authors_;
  std::size_t put_rows_ = 0, dropped_rows_ = 0;
};

}  // namespace ebb::store
