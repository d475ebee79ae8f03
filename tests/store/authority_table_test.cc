// What a store keeps of the logs of authorities.
#include "store/authority_table.h"

#include <utility>

#include "store/schema.h"
#include "tests/store/store_fixture.h"
#include "trust/authority_record.h"

namespace ebb::tests {
namespace {

// Records of one authority, one behind the other.
std::vector<Bytes> records_of(const trust::Identity& authority, std::size_t count) {
  std::vector<Bytes> records;
  Position end{0, trust::authority_chain_start(test_mesh(), authority.device())};
  for (std::size_t i = 0; i < count; ++i) {
    trust::AuthorityRecord record;
    record.mesh = test_mesh();
    record.authority = authority.device();
    record.seq = end.seq + 1;
    record.previous = end.chain;
    record.at = {1700000000000};
    record.content = trust::record::Time{};
    records.push_back(std::move(trust::sign_authority_record(authority, record)).value());
    end = trust::read_authority_record(test_mesh(), records.back())->record.position();
  }
  return records;
}

Position position_of(ByteView record) {
  return trust::read_authority_record(test_mesh(), record)->record.position();
}

store::CommitBatch batch_with(store::AuthorityRows rows) {
  store::CommitBatch batch;
  batch.authority = std::move(rows);
  return batch;
}

void commit(Device& device, store::AuthorityRows rows) {
  device.commit(batch_with(std::move(rows)));
}

TEST_CASE("records of authorities, what is missing and floors are there after a start") {
  Device device(1);
  const auto authority = make_identity(9);
  const std::vector<Bytes> records = records_of(*authority, 3);
  store::AuthorityRows rows;
  rows.records = {records[2], records[0], records[1]};
  rows.floors = trust::TimeFloor::Kept{{1700000000001}, {1700000000002}};
  trust::Missing missing;
  missing.add({7, position_of(records[0]).chain});
  trust::Missing more;
  more.more = true;
  const DeviceId other = make_identity(3)->device();
  rows.missing = {{authority->device(), missing}, {other, more}};
  commit(device, rows);
  commit(device, {{records[1]}, {}, std::nullopt, std::nullopt});  // here already
  device.reopen();
  auto kept = device.store().authority();
  REQUIRE(kept.ok());
  CHECK(kept->records == records);
  CHECK(kept->floors->by_root == WallTime{1700000000001});
  CHECK(kept->floors->by_issuers == WallTime{1700000000002});
  REQUIRE(kept->missing->size() == 2);
  for (const trust::AuthorityMissing& log : *kept->missing) {
    const bool of_other = log.authority == other;
    CHECK(log.records.more == of_other);
    CHECK(log.records.records.size() == (of_other ? 0 : 1));
  }
  // What goes is gone, what is missing is said whole, and floors stay as they were.
  store::AuthorityRows next;
  next.dropped = {{authority->device(), position_of(records[1])}};
  next.missing.emplace();
  commit(device, next);
  device.reopen();
  kept = device.store().authority();
  REQUIRE(kept.ok());
  CHECK(kept->records == std::vector<Bytes>{records[0], records[2]});
  CHECK(kept->missing->empty());
  CHECK(kept->floors->by_root == WallTime{1700000000001});
}

TEST_CASE("of a commit with a record that does not read nothing is stored") {
  Device device(1);
  const auto authority = make_identity(9);
  store::AuthorityRows rows;
  rows.records = records_of(*authority, 1);
  rows.records.push_back({0x93});
  store::CommitBatch batch = batch_with(std::move(rows));
  batch.now = device.reading();
  CHECK_FALSE(device.store().commit(batch).ok());
  CHECK(device.store().authority()->records.empty());
}

TEST_CASE("a store of version 4 is migrated, and holds no record") {
  Device device(1);
  device.close();
  {
    auto db = store::Connection::open(store::database_path(device.dir().string()),
                                      store::Connection::Mode::kReadWrite);
    REQUIRE(db.ok());
    REQUIRE((*db)
                ->run("DROP TABLE authority_records; DROP TABLE authority_missing; "
                      "PRAGMA user_version=4")
                .ok());
  }
  device.reopen();
  const auto kept = device.store().authority();
  REQUIRE(kept.ok());
  CHECK(kept->records.empty());
  commit(device, {records_of(*make_identity(9), 1), {}, std::nullopt, std::nullopt});
  CHECK(device.store().authority()->records.size() == 1);
}

}  // namespace
}  // namespace ebb::tests
