#include "store/log_table.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/planted.h"

namespace ebb::store {
namespace {

constexpr std::string_view kSelect =
    "SELECT n,id,device,incarnation,topic,seq,chain,hlc,signature,floor_seq,floor_chain,arrival,"
    "capped,wall_ms FROM logs ORDER BY n";
constexpr std::string_view kInsert =
    "INSERT INTO logs(n,id,device,incarnation,topic,seq,chain,hlc,signature,floor_seq,floor_chain,"
    "arrival,capped,wall_ms) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14)";
// Without the columns that never change, so that no index is touched.
constexpr std::string_view kUpdate =
    "UPDATE logs SET seq=?2,chain=?3,hlc=?4,signature=?5,arrival=?6,capped=?7,"
    "wall_ms=?8 WHERE n=?1";

Result<LogRow> read_row(const Statement& row) {
  LogRow out;
  out.n = static_cast<LogNumber>(row.column_int(0));
  HeadRecord& head = out.head;
  EBB_ASSIGN(head.log, column_fixed<LogId>(row, 1));
  EBB_ASSIGN(head.key.device, column_fixed<DeviceId>(row, 2));
  head.key.incarnation = row.column_u64(3);
  head.key.topic = row.column_text(4);
  head.held.seq = row.column_u64(5);
  EBB_ASSIGN(head.held.chain, column_fixed<Hash>(row, 6));
  head.hlc = Hlc{row.column_u64(7)};
  EBB_ASSIGN(head.signature, column_fixed<Signature>(row, 8));
  head.floor.seq = row.column_u64(9);
  EBB_ASSIGN(head.floor.chain, column_fixed<Hash>(row, 10));
  head.arrival = row.column_u64(11);
  head.capped = row.column_int(12) != 0;
  out.wall = WallTime{row.column_int(13)};
  return out;
}

}  // namespace

Status LogTable::open(const Connection& connection, bool writable) {
  EBB_ASSIGN(Statement select, connection.prepare(kSelect));
  for (;;) {
    EBB_ASSIGN(const bool more, select.step());
    if (!more) break;
    EBB_ASSIGN(LogRow row, read_row(select));
    if (row.n != rows_.size() + 1) return Error{ErrorCode::kCorrupt, "numbers of logs have a hole"};
    arrival_head_ = std::max(arrival_head_, row.head.arrival);
    add(std::move(row));
  }
  if (!writable) return {};
  EBB_ASSIGN(insert_, connection.prepare(kInsert));
  EBB_ASSIGN(update_, connection.prepare(kUpdate));
  return {};
}

void LogTable::add(LogRow row) {
  numbers_.emplace(row.head.log, row.n);
  ++counts_[row.head.key.device];
  rows_.push_back(std::move(row));
}

std::size_t LogTable::count_of(const DeviceId& device) const {
  const auto found = counts_.find(device);
  return found == counts_.end() ? 0 : found->second;
}

const LogRow* LogTable::find(const LogId& log) const {
  const auto found = numbers_.find(log);
  return found == numbers_.end() ? nullptr : &rows_[found->second - 1];
}

const LogRow* LogTable::at(LogNumber n) const {
  return n == 0 || n > rows_.size() ? nullptr : &rows_[n - 1];
}

const LogRow* LogStage::find(const LogId& log) const {
  const auto found = index_.find(log);
  return found != index_.end() ? &found->second->row : table_.find(log);
}

std::size_t LogStage::log_count_of(const DeviceId& device) const {
  const auto found = created_of_.find(device);
  return table_.count_of(device) + (found == created_of_.end() ? 0 : found->second);
}

LogRow& LogStage::edit(const LogId& log) {
  const auto found = index_.find(log);
  if (found != index_.end()) return found->second->row;
  const LogRow* stored = table_.find(log);
  EBB_CHECK(stored != nullptr);
  Staged& staged = staged_.emplace_back();
  staged.row = *stored;
  staged.before = stored->head.held;
  staged.capped_before = stored->head.capped;
  index_.emplace(log, &staged);
  return staged.row;
}

LogRow& LogStage::create(const LogKey& key, const LogId& log, const Hash& chain_start) {
  EBB_CHECK(find(log) == nullptr);
  Staged& staged = staged_.emplace_back();
  staged.created = true;
  staged.before = {0, chain_start};
  staged.row.n = static_cast<LogNumber>(log_count() + 1);
  staged.row.head.key = key;
  staged.row.head.log = log;
  staged.row.head.held = staged.before;
  ++created_;
  ++created_of_[key.device];
  index_.emplace(log, &staged);
  return staged.row;
}

Status LogStage::write(WallTime now) {
  arrival_head_ = table_.arrival_head_;
  for (Staged& staged : staged_) {
    if (!staged.created && !staged.moved()) continue;
    if (staged.moved()) {
      const bool again = planted(Bug::kOneArrivalACommit) && arrival_head_ > table_.arrival_head_;
      staged.row.head.arrival = again ? arrival_head_ : ++arrival_head_;
      staged.row.wall = now;
    }
    EBB_RETURN_IF_ERROR(write_row(staged));
  }
  return {};
}

Status LogStage::write_row(Staged& staged) {
  const LogRow& row = staged.row;
  const HeadRecord& head = row.head;
  if (!staged.created) {
    Statement& update = table_.update_;
    update.bind(1, std::int64_t{row.n});
    update.bind(2, head.held.seq);
    update.bind(3, head.held.chain.view());
    update.bind(4, head.hlc.value);
    update.bind(5, head.signature.view());
    update.bind(6, head.arrival);
    update.bind(7, head.capped);
    update.bind(8, row.wall.ms);
    return update.run();
  }
  Statement& insert = table_.insert_;
  insert.bind(1, std::int64_t{row.n});
  insert.bind(2, head.log.view());
  insert.bind(3, head.key.device.view());
  insert.bind(4, head.key.incarnation);
  insert.bind_text(5, head.key.topic);
  insert.bind(6, head.held.seq);
  insert.bind(7, head.held.chain.view());
  insert.bind(8, head.hlc.value);
  insert.bind(9, head.signature.view());
  insert.bind(10, head.floor.seq);
  insert.bind(11, head.floor.chain.view());
  insert.bind(12, head.arrival);
  insert.bind(13, head.capped);
  insert.bind(14, row.wall.ms);
  return insert.run();
}

std::vector<HeadAdvance> LogStage::apply() {
  std::vector<HeadAdvance> advances;
  for (Staged& staged : staged_) {
    const bool moved = staged.moved();
    if (!moved && !staged.created) continue;
    if (moved) {
      const Position before = planted(Bug::kTellFromStart) ? Position{} : staged.before;
      advances.push_back({staged.row.head, before, false});
    }
    if (staged.created) {
      table_.add(std::move(staged.row));
    } else {
      table_.rows_[staged.row.n - 1] = std::move(staged.row);
    }
  }
  table_.arrival_head_ = arrival_head_;
  return advances;
}

}  // namespace ebb::store
