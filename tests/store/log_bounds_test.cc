// How many logs a store holds, of all devices and of one.
#include "store/sqlite.h"
#include "tests/store/clock_fixture.h"

namespace ebb::tests {
namespace {

using store::CommitResult;
using store::SegmentOutcome;

// Rows of logs without events until there are `rows` of them, of so many devices or of this one.
void fill_logs(const Device& device, std::size_t rows, const DeviceId* of = nullptr) {
  auto db = store::Connection::open((device.dir() / "ebb.db").string(),
                                    store::Connection::Mode::kReadWrite);
  REQUIRE(db.ok());
  const std::string author = of == nullptr ? "randomblob(32)" : "x'" + to_hex(of->view()) + "'";
  const std::string count =
      of == nullptr ? "max(n)" : "max(n)-count(CASE WHEN device=" + author + " THEN 1 END)";
  REQUIRE((*db)
              ->run("WITH RECURSIVE i(n,last) AS (SELECT max(n)," + count + "+" +
                    (of == nullptr ? std::to_string(rows) + "-max(n)" : std::to_string(rows)) +
                    " FROM logs UNION ALL SELECT n+1,last FROM i WHERE n<last) "
                    "INSERT INTO logs(n,id,device,incarnation,topic,seq,chain,hlc,signature,"
                    "floor_seq,floor_chain,arrival,capped,wall_ms) SELECT n,randomblob(16)," +
                    author +
                    ",1,'t',0,zeroblob(32),0,zeroblob(64),0,zeroblob(32),0,0,0 FROM i WHERE n>"
                    "(SELECT max(n) FROM logs)")
              .ok());
}

TEST_CASE("where others' logs have filled the table there is room for our own, and for a repair") {
  Device other(2);
  other.append({event(1)});
  Device device(1);
  const WallTime truth = device.now;
  device.now.ms += kTenYears;
  device.append({event(1)});
  device.close();
  std::size_t left = limits::kOwnLogsKept;
  SUBCASE("that is kept for them") {}
  SUBCASE("and when that is used up, everything else is stored") { left = 0; }
  fill_logs(device, limits::kKnownLogs - left);
  device.now = truth;
  device.pass(seconds(60));
  device.open();
  peers_say(device, device.now.ms);
  store::CommitBatch batch;
  batch.appends.push_back(batch_of({event(2)}));
  batch.segments = read_all(other.store(), data_heads(other.store()).at(0));
  const CommitResult result = device.commit(std::move(batch));
  CHECK(result.segments == std::vector{store::SegmentOutcome::kTooManyLogs});
  REQUIRE(result.appends[0].ok());
  CHECK(result.begun.has_value() == (left > 0));
  CHECK(result.clock_troubles.size() == (left > 0 ? 0 : 1));
  CHECK(last_event(device).suspect == (left == 0));
}

TEST_CASE("one device has its share of the table, and its known logs go on") {
  Device author(2);
  Device other(3);
  Device device(1);
  author.append({event(1)});
  other.append({event(1)});
  device.receive(read_all(author.store(), data_heads(author.store()).at(0)));
  device.close();
  const DeviceId id = author.identity().device();
  fill_logs(device, limits::kLogsPerDevice - 1, &id);
  device.open();
  author.append({event(2)});
  author.append({event(3)}, "last");
  author.append({event(4)}, "more");
  std::vector<trust::VerifiedSegment> segments;
  for (const store::HeadRecord& head : data_heads(author.store())) {
    for (const auto& segment : read_all(author.store(), head))
      segments.push_back(segment);
  }
  segments.push_back(read_all(other.store(), data_heads(other.store()).at(0)).at(0));
  CHECK(device.receive(segments).segments ==
        std::vector{SegmentOutcome::kDuplicate, SegmentOutcome::kStored, SegmentOutcome::kStored,
                    SegmentOutcome::kTooManyLogs, SegmentOutcome::kStored});
}

TEST_CASE("a device with many logs of its own repairs no clock, and what must go on does") {
  Device device(1);
  const WallTime truth = device.now;
  device.now.ms += kTenYears;
  device.append({event(1)});
  device.close();
  const DeviceId id = device.identity().device();
  std::size_t rows = limits::kLogsPerDevice - limits::kOwnLogsKept;
  bool repairs = false;
  SUBCASE("one row before") {
    --rows;
    repairs = true;
  }
  SUBCASE("when only those are left that are kept for it") {}
  fill_logs(device, rows, &id);
  device.now = truth;
  device.pass(seconds(60));
  device.open();
  peers_say(device, device.now.ms);
  const CommitResult result = device.append({event(2)});
  REQUIRE(result.appends[0].ok());
  CHECK(result.begun.has_value() == repairs);
  CHECK(result.clock_troubles.size() == (repairs ? 0 : 1));
  CHECK(device.append({event(3)}, "fresh").appends[0].ok());
  CHECK(device.store().begin_incarnation(codec::OpeningReason::kRollback, device.reading()).ok());
}

TEST_CASE("a device that has all the logs it may have appends to them and to no other") {
  Device device(1);
  device.append({event(1)});
  device.close();
  const DeviceId id = device.identity().device();
  fill_logs(device, limits::kLogsPerDevice - 1, &id);
  device.open();
  store::CommitBatch batch;
  for (const char* topic : {"fresh", "fresh", "other", "fresh", "events"})
    batch.appends.push_back(batch_of({event(1)}, topic));
  const CommitResult result = device.commit(std::move(batch));
  CHECK(result.appends[0].ok());
  CHECK(result.appends[1].ok());
  REQUIRE(!result.appends[2].ok());
  CHECK(result.appends[2].error().context == "too many logs of this device");
  CHECK(result.appends[3].ok());
  CHECK(result.appends[4].ok());
}

TEST_CASE("the last row of the table is for one log, however often a commit appends to it") {
  Device device(1);
  device.append({event(1)});
  device.close();
  fill_logs(device, limits::kKnownLogs - 1);
  device.open();
  store::CommitBatch batch;
  for (const char* topic : {"fresh", "fresh", "other", "events"})
    batch.appends.push_back(batch_of({event(1)}, topic));
  const CommitResult result = device.commit(std::move(batch));
  CHECK(result.appends[0].ok());
  CHECK(result.appends[1].ok());
  REQUIRE(!result.appends[2].ok());
  CHECK(result.appends[2].error().context == "too many logs known");
  CHECK(result.appends[3].ok());
  CHECK(device.store().heads().size() == limits::kKnownLogs);
  CHECK(!device.append({event(1)}, "other").appends[0].ok());
}

TEST_CASE("repairs of the clock are counted over starts, by the incarnations of the last day") {
  Device device(1);
  for (std::size_t i = 0; i < limits::kClockRepairsPerDay; ++i) {
    REQUIRE(device.store().begin_incarnation(codec::OpeningReason::kClock, device.reading()).ok());
  }
  device.reopen();
  const WallTime truth = device.now;
  device.now.ms += kTenYears;
  device.append({event(1)});
  device.now = truth;
  device.pass(seconds(3600));
  peers_say(device, device.now.ms);
  const CommitResult early = device.append({event(2)});
  CHECK(!early.begun);
  CHECK(early.clock.doubt == ClockDoubt::kUnsettled);
  device.pass(seconds(24 * 3600));
  peers_say(device, device.now.ms);
  CHECK(device.append({event(3)}).begun);
}

}  // namespace
}  // namespace ebb::tests
