#include "store/side_tables.h"

#include <algorithm>
#include <utility>

#include "core/limits.h"

namespace ebb::store {
namespace {

constexpr std::string_view kPutReconciliation =
    "INSERT INTO reconciliations(id,peer,kind,started_ms,duration_us,rounds,heads_compared,"
    "events_in,events_out,bytes_in,bytes_out,outcome,held_before,known_before,held_after,"
    "known_after,root_before,root_after) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,"
    "?15,?16,?17,?18)";
constexpr std::string_view kPrunePeers =
    "DELETE FROM peers WHERE device NOT IN "
    "(SELECT device FROM peers ORDER BY heard_ms DESC, device LIMIT ?1)";
constexpr std::string_view kReconciliations =
    "SELECT id,peer,kind,started_ms,duration_us,rounds,heads_compared,events_in,events_out,"
    "bytes_in,bytes_out,outcome,held_before,known_before,held_after,known_after,root_before,"
    "root_after FROM reconciliations ORDER BY n DESC LIMIT ?1";

Result<ReconciliationRow> read_reconciliation(const Statement& row) {
  ReconciliationRow out;
  EBB_ASSIGN(out.id, column_fixed<ReconciliationId>(row, 0));
  EBB_ASSIGN(out.peer, column_fixed<DeviceId>(row, 1));
  out.kind = row.column_text(2);
  out.started = WallTime{row.column_int(3)};
  out.duration_us = row.column_int(4);
  out.rounds = row.column_u64(5);
  out.heads_compared = row.column_u64(6);
  out.events_in = row.column_u64(7);
  out.events_out = row.column_u64(8);
  out.bytes_in = row.column_u64(9);
  out.bytes_out = row.column_u64(10);
  out.outcome = row.column_text(11);
  out.held_before = row.column_u64(12);
  out.known_before = row.column_u64(13);
  out.held_after = row.column_u64(14);
  out.known_after = row.column_u64(15);
  EBB_ASSIGN(out.root_before, column_fixed<Fingerprint>(row, 16));
  EBB_ASSIGN(out.root_after, column_fixed<Fingerprint>(row, 17));
  return out;
}

}  // namespace

Status SideTables::open(const Connection& connection) {
  connection_ = &connection;
  EBB_ASSIGN(put_cursor_, connection.prepare("INSERT OR REPLACE INTO cursors(peer,epoch,arrival) "
                                             "VALUES(?1,?2,?3)"));
  EBB_ASSIGN(drop_cursor_, connection.prepare("DELETE FROM cursors WHERE peer=?1"));
  EBB_ASSIGN(put_peer_, connection.prepare("INSERT OR REPLACE INTO peers(device,address,heard_ms) "
                                           "VALUES(?1,?2,?3)"));
  EBB_ASSIGN(prune_peers_, connection.prepare(kPrunePeers));
  EBB_ASSIGN(put_reconciliation_, connection.prepare(kPutReconciliation));
  EBB_ASSIGN(prune_reconciliations_, connection.prepare("DELETE FROM reconciliations WHERE n<=?1"));
  EBB_ASSIGN(Statement cursors, connection.prepare("SELECT peer,epoch,arrival FROM cursors"));
  for (;;) {
    EBB_ASSIGN(const bool more, cursors.step());
    if (!more) break;
    EBB_ASSIGN(const DeviceId peer, column_fixed<DeviceId>(cursors, 0));
    cursors_[peer] = {peer, cursors.column_u64(1), cursors.column_u64(2)};
  }
  EBB_ASSIGN(Statement peers, connection.prepare("SELECT device,address,heard_ms FROM peers"));
  for (;;) {
    EBB_ASSIGN(const bool more, peers.step());
    if (!more) break;
    EBB_ASSIGN(const DeviceId device, column_fixed<DeviceId>(peers, 0));
    peers_[device] = {device, std::string(peers.column_text(1)), WallTime{peers.column_int(2)}};
  }
  return read_link_budgets(connection);
}

Status SideTables::read_link_budgets(const Connection& connection) {
  EBB_ASSIGN(put_link_budget_,
             connection.prepare("INSERT OR REPLACE INTO link_budgets(class,day,bytes) "
                                "VALUES(?1,?2,?3)"));
  EBB_ASSIGN(Statement rows, connection.prepare("SELECT class,day,bytes FROM link_budgets"));
  for (;;) {
    EBB_ASSIGN(const bool more, rows.step());
    if (!more) return {};
    const std::string name(rows.column_text(0));
    link_budgets_[name] = {name, rows.column_int(1), rows.column_u64(2)};
  }
}

Status SideTables::write(const CommitBatch& batch) {
  EBB_RETURN_IF_ERROR(write_cursors(batch));
  for (const PeerRow& peer : batch.peers) {
    put_peer_.bind(1, peer.device.view());
    put_peer_.bind_text(2, peer.address);
    put_peer_.bind(3, peer.last_heard.ms);
    EBB_RETURN_IF_ERROR(put_peer_.run());
  }
  if (peers_.size() + batch.peers.size() > limits::kStoredPeers) {
    prune_peers_.bind(1, static_cast<std::int64_t>(limits::kStoredPeers));
    EBB_RETURN_IF_ERROR(prune_peers_.run());
  }
  for (const LinkBudgetRow& row : batch.link_budgets) {
    put_link_budget_.bind_text(1, row.link_class);
    put_link_budget_.bind(2, row.day);
    put_link_budget_.bind(3, row.bytes);
    EBB_RETURN_IF_ERROR(put_link_budget_.run());
  }
  for (const ReconciliationRow& row : batch.reconciliations) {
    EBB_RETURN_IF_ERROR(write_reconciliation(row));
  }
  if (batch.reconciliations.empty()) return {};
  prune_reconciliations_.bind(1, connection_->last_insert_rowid() -
                                     static_cast<std::int64_t>(limits::kReconciliationsKept));
  return prune_reconciliations_.run();
}

Status SideTables::write_cursors(const CommitBatch& batch) {
  const auto drop = [this](const DeviceId& peer) {
    drop_cursor_.bind(1, peer.view());
    return drop_cursor_.run();
  };
  for (const CursorUpdate& cursor : batch.cursors) {
    if (cursor.arrival == 0) {
      EBB_RETURN_IF_ERROR(drop(cursor.peer));
      continue;
    }
    put_cursor_.bind(1, cursor.peer.view());
    put_cursor_.bind(2, cursor.epoch);
    put_cursor_.bind(3, cursor.arrival);
    EBB_RETURN_IF_ERROR(put_cursor_.run());
  }
  surplus_cursors_ = surplus_cursors(batch);
  for (const DeviceId& peer : surplus_cursors_)
    EBB_RETURN_IF_ERROR(drop(peer));
  return {};
}

WallTime SideTables::heard_at(const DeviceId& peer) const {
  const auto row = peers_.find(peer);
  return row == peers_.end() ? WallTime{INT64_MIN} : row->second.last_heard;
}

// Cursors that there is no room for: those of the peers that were heard longest ago.
std::vector<DeviceId> SideTables::surplus_cursors(const CommitBatch& batch) const {
  if (cursors_.size() + batch.cursors.size() <= limits::kStoredPeers) return {};
  std::map<DeviceId, WallTime> heard;
  for (const auto& [peer, cursor] : cursors_) {
    heard[peer] = heard_at(peer);
  }
  for (const CursorUpdate& cursor : batch.cursors) {
    heard[cursor.peer] = WallTime{INT64_MAX};  // just now, whatever its row says
    if (cursor.arrival == 0) heard.erase(cursor.peer);
  }
  if (heard.size() <= limits::kStoredPeers) return {};
  std::vector<std::pair<WallTime, DeviceId>> by_age;
  by_age.reserve(heard.size());
  for (const auto& [peer, time] : heard)
    by_age.emplace_back(time, peer);
  std::sort(by_age.begin(), by_age.end());
  by_age.resize(by_age.size() - limits::kStoredPeers);
  std::vector<DeviceId> surplus;
  surplus.reserve(by_age.size());
  for (const auto& [time, peer] : by_age)
    surplus.push_back(peer);
  return surplus;
}

Status SideTables::write_reconciliation(const ReconciliationRow& row) {
  Statement& put = put_reconciliation_;
  put.bind(1, row.id.view());
  put.bind(2, row.peer.view());
  put.bind_text(3, row.kind);
  put.bind(4, row.started.ms);
  put.bind(5, row.duration_us);
  put.bind(6, row.rounds);
  put.bind(7, row.heads_compared);
  put.bind(8, row.events_in);
  put.bind(9, row.events_out);
  put.bind(10, row.bytes_in);
  put.bind(11, row.bytes_out);
  put.bind_text(12, row.outcome);
  put.bind(13, row.held_before);
  put.bind(14, row.known_before);
  put.bind(15, row.held_after);
  put.bind(16, row.known_after);
  put.bind(17, row.root_before.view());
  put.bind(18, row.root_after.view());
  return put.run();
}

void SideTables::committed(const CommitBatch& batch) {
  for (const CursorUpdate& cursor : batch.cursors) {
    cursors_[cursor.peer] = cursor;
    if (cursor.arrival == 0) cursors_.erase(cursor.peer);
  }
  for (const DeviceId& peer : surplus_cursors_)
    cursors_.erase(peer);
  for (const PeerRow& peer : batch.peers)
    peers_[peer.device] = peer;
  for (const LinkBudgetRow& row : batch.link_budgets)
    link_budgets_[row.link_class] = row;
  prune_peers();
}

// As kPrunePeers does it.
void SideTables::prune_peers() {
  if (peers_.size() <= limits::kStoredPeers) return;
  std::vector<std::pair<std::int64_t, DeviceId>> by_age;
  for (const auto& [device, peer] : peers_)
    by_age.emplace_back(-peer.last_heard.ms, device);
  std::sort(by_age.begin(), by_age.end());
  for (std::size_t i = limits::kStoredPeers; i < by_age.size(); ++i)
    peers_.erase(by_age[i].second);
}

std::vector<LinkBudgetRow> SideTables::link_budgets() const {
  std::vector<LinkBudgetRow> out;
  for (const auto& [name, row] : link_budgets_)
    out.push_back(row);
  return out;
}

std::vector<CursorUpdate> SideTables::cursors() const {
  std::vector<CursorUpdate> out;
  for (const auto& [peer, cursor] : cursors_)
    out.push_back(cursor);
  std::stable_sort(out.begin(), out.end(), [this](const CursorUpdate& a, const CursorUpdate& b) {
    return heard_at(a.peer) < heard_at(b.peer);
  });
  return out;
}

std::vector<PeerRow> SideTables::peers() const {
  std::vector<PeerRow> out;
  for (const auto& [device, peer] : peers_)
    out.push_back(peer);
  return out;
}

Result<std::vector<ReconciliationRow>> read_reconciliations(const Connection& connection,
                                                            std::size_t limit) {
  std::vector<ReconciliationRow> out;
  EBB_ASSIGN(Statement rows, connection.prepare(kReconciliations));
  rows.bind(1, static_cast<std::int64_t>(std::min(limit, limits::kReconciliationsKept)));
  for (;;) {
    EBB_ASSIGN(const bool more, rows.step());
    if (!more) return out;
    EBB_ASSIGN(ReconciliationRow row, read_reconciliation(rows));
    out.push_back(std::move(row));
  }
}

}  // namespace ebb::store
