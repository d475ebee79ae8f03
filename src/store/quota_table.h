// QuotaTable: what was taken of each author, in the table `quotas`; QuotaStage: what one
// transaction adds to it, so that a failed one leaves no trace.
//
// Model:   the accounts of an author are read when a commit brings something of it; only their
//          number is in memory. Events of this device that come back to it are not counted.
//          While the clock is suspect everything is counted and nothing refused. An author whose
//          rows are damaged is counted anew: they say how much was taken, and nothing of it.
// Threads: not thread-safe; owned by the store.
// Errors:  those of store/sqlite.h; damage is told apart (take_damage()).
// Limits:  kQuotaDays + 1 rows of an author and kind; beyond kQuotaRows in all an author that needs
//          another keeps kQuotaDaysFew.
// Spec:    docs/store_format.md sections 3 and 4
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <span>
#include <utility>
#include <vector>

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
  Statement drop_all_;  // of an author
};

class QuotaStage {
 public:
  QuotaStage(QuotaTable& table, const ClockVerdict& now)
      : table_(table), today_(quota_day(now.time)), refuses_(!now.suspect()) {}

  // Counts events of that log, or says that there is no room for them: then none is counted.
  Result<bool> admit(const LogKey& key, std::span<const DayCount> days);
  Status write();
  void committed();
  // What was found damaged since the last time.
  std::vector<Error> take_damage() { return std::exchange(damage_, {}); }

 private:
  using Accounts = std::array<QuotaAccount, 2>;  // all else, control records
  struct Author {
    Accounts before, after;
    std::size_t rows = 0;     // as stored
    bool is_damaged = false;  // they go, whatever they say
  };
  Result<Author*> author(const DeviceId& device);
  // False: a row that no count of ours has made.
  static bool take_row(Accounts& accounts, std::int64_t kind, const QuotaRow& row);
  Status write_kind(const DeviceId& device, int kind, std::span<const QuotaRow> before,
                    std::span<const QuotaRow> after);

  QuotaTable& table_;
  std::int64_t today_;
  bool refuses_;
  std::map<DeviceId, Author> authors_;
  std::size_t put_rows_ = 0, dropped_rows_ = 0;
  std::vector<Error> damage_;
};

}  // namespace ebb::store
