#include "store/quota_table.h"

#include <algorithm>
#include <string_view>

namespace ebb::store {
namespace {

// Kinds of rows: 0 and 1 by day, of all else and of control records; 2 and 3 the days ahead.
constexpr int kAhead = 2;
constexpr int kKinds = 4;

constexpr std::string_view kRead =
    "SELECT kind,last_day,first_day,bytes,events FROM quotas WHERE device=?1 "
    "ORDER BY kind,last_day";
constexpr std::string_view kPut =
    "INSERT OR REPLACE INTO quotas(device,kind,last_day,first_day,bytes,events) "
    "VALUES(?1,?2,?3,?4,?5,?6)";

bool is_held(std::span<const QuotaRow> rows, std::int64_t last) {
  return std::any_of(rows.begin(), rows.end(),
                     [last](const QuotaRow& row) { return row.last == last; });
}

bool may_follow(const std::vector<QuotaRow>& days, const QuotaRow& row) {
  return row.first <= row.last && (days.empty() || days.back().last < row.first);
}

// None: nothing was taken.
std::span<const QuotaRow> ahead_rows(const QuotaAccount& account) {
  return {&account.ahead, account.ahead.events == 0 ? std::size_t{0} : std::size_t{1}};
}

}  // namespace

Status QuotaTable::open(const Connection& connection) {
  EBB_ASSIGN(read_, connection.prepare(kRead));
  EBB_ASSIGN(put_, connection.prepare(kPut));
  EBB_ASSIGN(drop_, connection.prepare("DELETE FROM quotas WHERE device=?1 AND kind=?2 AND "
                                       "last_day=?3"));
  EBB_ASSIGN(drop_all_, connection.prepare("DELETE FROM quotas WHERE device=?1"));
  EBB_ASSIGN(const std::int64_t rows, connection.query_int("SELECT count(*) FROM quotas"));
  rows_ = static_cast<std::size_t>(rows);
  return {};
}

bool QuotaStage::take_row(Accounts& accounts, std::int64_t kind, const QuotaRow& row) {
  if (kind < 0 || kind >= kKinds) return false;
  QuotaAccount& account = accounts.at(static_cast<std::size_t>(kind % kAhead));
  if (kind >= kAhead) {
    account.ahead = row;
    return true;
  }
  if (!may_follow(account.days, row)) return false;
  account.days.push_back(row);
  return true;
}

Result<QuotaStage::Author*> QuotaStage::author(const DeviceId& device) {
  if (const auto known = authors_.find(device); known != authors_.end()) return &known->second;
  Author found;
  Statement& rows = table_.read_;
  const ScopedReset reset(rows);
  rows.bind(1, device.view());
  for (;;) {
    EBB_ASSIGN(const bool more, rows.step());
    if (!more) break;
    ++found.rows;
    const QuotaRow row{rows.column_int(2), rows.column_int(1), rows.column_u64(3),
                       rows.column_u64(4)};
    if (!take_row(found.before, rows.column_int(0), row)) found.is_damaged = true;
  }
  if (found.is_damaged) {
    found.before = {};
    damage_.push_back({ErrorCode::kCorrupt, "quotas", device_text(device)});
  }
  found.after = found.before;
  return &authors_.emplace(device, std::move(found)).first->second;
}

Result<bool> QuotaStage::admit(const LogKey& key, std::span<const DayCount> days) {
  if (key.device == table_.own_) return true;
  EBB_ASSIGN(Author* const of, author(key.device));
  const bool control = key.topic == kControlTopic;
  QuotaRules rules;
  rules.limit = control ? control_quota(table_.limit_) : table_.limit_;
  rules.today = today_;
  rules.refuses = refuses_;
  if (table_.rows_ >= limits::kQuotaRows) rules.rows_max = limits::kQuotaDaysFew;
  return store::admit(of->after[control ? 1 : 0], days, rules);
}

Status QuotaStage::write_kind(const DeviceId& device, int kind, std::span<const QuotaRow> before,
                              std::span<const QuotaRow> after) {
  for (const QuotaRow& row : before) {
    if (is_held(after, row.last)) continue;
    Statement& drop = table_.drop_;
    drop.bind(1, device.view());
    drop.bind(2, std::int64_t{kind});
    drop.bind(3, row.last);
    EBB_RETURN_IF_ERROR(drop.run());
    ++dropped_rows_;
  }
  for (const QuotaRow& row : after) {
    if (std::find(before.begin(), before.end(), row) != before.end()) continue;
    Statement& put = table_.put_;
    put.bind(1, device.view());
    put.bind(2, std::int64_t{kind});
    put.bind(3, row.last);
    put.bind(4, row.first);
    put.bind(5, row.bytes);
    put.bind(6, row.events);
    EBB_RETURN_IF_ERROR(put.run());
    if (!is_held(before, row.last)) ++put_rows_;
  }
  return {};
}

Status QuotaStage::write() {
  for (const auto& [device, of] : authors_) {
    if (of.is_damaged) {
      table_.drop_all_.bind(1, device.view());
      EBB_RETURN_IF_ERROR(table_.drop_all_.run());
      dropped_rows_ += of.rows;
    }
    for (int control = 0; control < kAhead; ++control) {
      const QuotaAccount& before = of.before.at(static_cast<std::size_t>(control));
      const QuotaAccount& after = of.after.at(static_cast<std::size_t>(control));
      if (before == after) continue;
      EBB_RETURN_IF_ERROR(write_kind(device, control, before.days, after.days));
      EBB_RETURN_IF_ERROR(
          write_kind(device, control + kAhead, ahead_rows(before), ahead_rows(after)));
    }
  }
  return {};
}

void QuotaStage::committed() { table_.rows_ += put_rows_ - dropped_rows_; }

}  // namespace ebb::store
