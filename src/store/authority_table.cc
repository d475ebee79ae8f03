#include "store/authority_table.h"

#include <string_view>
#include <utility>

#include "store/meta.h"
#include "trust/authority_record.h"

namespace ebb::store {
namespace {

constexpr std::string_view kFloorByRoot = "floor_by_root";
constexpr std::string_view kFloorByIssuers = "floor_by_issuers";

Result<WallTime> read_floor(const Connection& connection, std::string_view key) {
  EBB_ASSIGN(const auto ms, get_meta_u64(connection, key));
  return WallTime{static_cast<std::int64_t>(ms.value_or(0))};
}

Status put_floor(const Connection& connection, std::string_view key, WallTime floor) {
  return put_meta(connection, key, static_cast<std::uint64_t>(floor.ms));
}

}  // namespace

Status AuthorityTable::open(const Connection& connection) {
  connection_ = &connection;
  EBB_ASSIGN(put_, connection.prepare("INSERT OR IGNORE INTO authority_records(authority,seq,chain,"
                                      "record) VALUES(?1,?2,?3,?4)"));
  EBB_ASSIGN(drop_, connection.prepare("DELETE FROM authority_records WHERE authority=?1 AND "
                                       "seq=?2 AND chain=?3"));
  EBB_ASSIGN(put_missing_, connection.prepare("INSERT INTO authority_missing(authority,seq,chain) "
                                              "VALUES(?1,?2,?3)"));
  return {};
}

Status AuthorityTable::put(ByteView record) {
  EBB_ASSIGN(const trust::ReadRecord read, trust::read_authority_record(mesh_, record));
  put_.bind(1, read.record.authority.view());
  put_.bind(2, read.record.seq);
  put_.bind(3, read.record.chain.view());
  put_.bind(4, record);
  return put_.run();
}

Status AuthorityTable::write(const AuthorityRows& rows) {
  // What was dropped may have come again.
  for (const auto& [authority, position] : rows.dropped) {
    drop_.bind(1, authority.view());
    drop_.bind(2, position.seq);
    drop_.bind(3, position.chain.view());
    EBB_RETURN_IF_ERROR(drop_.run());
  }
  for (const Bytes& record : rows.records)
    EBB_RETURN_IF_ERROR(put(record));
  if (rows.floors) {
    EBB_RETURN_IF_ERROR(put_floor(*connection_, kFloorByRoot, rows.floors->by_root));
    EBB_RETURN_IF_ERROR(put_floor(*connection_, kFloorByIssuers, rows.floors->by_issuers));
  }
  if (!rows.missing) return {};
  EBB_RETURN_IF_ERROR(connection_->run("DELETE FROM authority_missing"));
  for (const trust::AuthorityMissing& log : *rows.missing) {
    const auto put_position = [&](const Position& position) {
      put_missing_.bind(1, log.authority.view());
      put_missing_.bind(2, position.seq);
      put_missing_.bind(3, position.chain.view());
      return put_missing_.run();
    };
    if (log.records.more) EBB_RETURN_IF_ERROR(put_position({}));
    for (const Position& position : log.records.records)
      EBB_RETURN_IF_ERROR(put_position(position));
  }
  return {};
}

Result<std::vector<Bytes>> read_authority_records(const Connection& connection) {
  std::vector<Bytes> records;
  EBB_ASSIGN(Statement rows, connection.prepare("SELECT record FROM authority_records "
                                                "ORDER BY authority,seq,chain"));
  for (;;) {
    EBB_ASSIGN(const bool more, rows.step());
    if (!more) return records;
    records.push_back(to_bytes(rows.column_blob(0)));
  }
}

Result<AuthorityRows> AuthorityTable::all() const {
  AuthorityRows rows;
  EBB_ASSIGN(rows.records, read_authority_records(*connection_));
  rows.missing.emplace();
  EBB_ASSIGN(Statement missing, connection_->prepare("SELECT authority,seq,chain FROM "
                                                     "authority_missing ORDER BY authority,seq"));
  for (;;) {
    EBB_ASSIGN(const bool more, missing.step());
    if (!more) break;
    EBB_ASSIGN(const DeviceId authority, column_fixed<DeviceId>(missing, 0));
    EBB_ASSIGN(const Hash chain, column_fixed<Hash>(missing, 2));
    if (rows.missing->empty() || rows.missing->back().authority != authority) {
      rows.missing->push_back({authority, {}});
    }
    trust::Missing& of = rows.missing->back().records;
    const Seq seq = missing.column_u64(1);
    if (seq == 0) of.more = true;
    if (seq > 0) of.add({seq, chain});
  }
  rows.floors.emplace();
  EBB_ASSIGN(rows.floors->by_root, read_floor(*connection_, kFloorByRoot));
  EBB_ASSIGN(rows.floors->by_issuers, read_floor(*connection_, kFloorByIssuers));
  return rows;
}

}  // namespace ebb::store
