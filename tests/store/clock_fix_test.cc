// What a store does about stamps that prove wrong, and how readers see them.
#include "store/clock_fixes.h"

#include "tests/store/clock_fixture.h"

namespace ebb::tests {
namespace {

using store::CommitResult;
using store::CounterAdd;

TEST_CASE("peers that prove a clock ten years ahead bring a new incarnation with right time") {
  Device device(1);
  const std::int64_t truth = device.now.ms;
  device.append({event(1)});
  device.now.ms += kTenYears;
  device.append({event(2), CounterAdd{"c", 1}});
  device.append({event(3)}, "more");
  const Incarnation before = device.store().incarnation();
  const LogId log = last_event(device).dot.log;
  const Hash digest = device.store().state_digest();

  device.pass(seconds(60));
  peers_say(device, truth + 60030);
  const CommitResult result = device.append({event(4)});
  REQUIRE(result.begun);
  CHECK(device.store().incarnation() != before);
  CHECK((*result.appends[0])[0].first_seq == 1);
  const std::vector<Stored> events = own_events(device, "events");
  // In order of time the newest is now before those of the wrong clock.
  const auto fresh = std::find_if(events.begin(), events.end(), [&](const Stored& event) {
    return event.key.incarnation != before;
  });
  REQUIRE(fresh != events.end());
  CHECK(fresh->hlc.wall().ms == truth + 60040);
  CHECK(fresh->suspect);  // the wall clock is as wrong as before

  REQUIRE(fixes(device).size() == 1);
  const codec::ClockFix fix = fixes(device)[0];
  CHECK(fix.offset_ms == -kTenYears);
  REQUIRE(fix.ranges.size() == 2);
  for (const auto& range : fix.ranges) {
    if (range.log == log) CHECK(range.from == 2);  // the first was stamped in time
    CHECK(range.to == (range.log == log ? 3 : 1));
  }
  CHECK(openings(device).front().reason == codec::OpeningReason::kNew);
  CHECK(openings(device).size() == 2);
  CHECK(device.store().state_digest() != digest);  // it has new events, and that is all
  device.now.ms -= kTenYears;
  device.append({event(5)});
  CHECK(!device.store().clock_judge().judge(device.reading()).suspect());
  device.reopen();
  device.append({event(6)});
  CHECK(openings(device).size() == 2);
}

// Queries of the reader, with what each event is worth.
std::vector<std::int64_t> corrected(const Device& device, const std::string& where) {
  std::vector<std::int64_t> out;
  const auto result = query(*device.reader(), "SELECT ts_corrected FROM events WHERE " + where +
                                                  " ORDER BY ts_corrected");
  for (const auto& row : result.rows)
    out.push_back(std::get<std::int64_t>(row[0]));
  return out;
}

TEST_CASE("after a clock fix SQL shows right times on every node, and folds have not moved") {
  Device device(1);
  Device other(2);
  const std::int64_t truth = device.now.ms;
  device.append({event(1)});  // at truth + 10
  device.now.ms += kTenYears;
  store::AppendEvent own_time = event(2);
  own_time.ts_ms = 77;
  device.append({event(2), own_time, CounterAdd{"c", 4}});  // at truth + 20
  exchange_all(device, other);
  REQUIRE(device.store().state_digest() == other.store().state_digest());
  REQUIRE(other.store().flush_state(other.uptime, true).ok());
  const auto before = other.reader()->count_cells("view");
  REQUIRE(before.ok());
  REQUIRE(!before->empty());
  CHECK(corrected(other, "topic='events' AND ts>1000").back() > truth + kTenYears);

  device.now.ms -= kTenYears;
  peers_say(device, device.now.ms);
  device.append({event(5)});
  exchange_all(device, other);
  CHECK(device.store().state_digest() == other.store().state_digest());
  for (Device* each : {&device, &other}) {
    REQUIRE(each->store().flush_state(each->uptime, true).ok());
    const auto times = corrected(*each, "topic='events'");
    REQUIRE(times.size() == 5);
    CHECK(times[0] == 77);  // an event's own time is its own
    CHECK(times[1] == truth + 10);
    // Two at truth + 20, of which the second has an hlc one tick later, and the change of the
    // counter; all off by ten years to the millisecond.
    CHECK(times[2] == truth + 20);
    CHECK(times[3] == truth + 20);
    CHECK(times[4] <= device.now.ms);
    CHECK(number(*each->reader(), "SELECT sum(suspect) FROM events") == 0);
    CHECK(
        number(*each->reader(), "SELECT count(*) FROM events WHERE ts_corrected BETWEEN 1000 AND " +
                                    std::to_string(truth + 1000) + " AND topic='events'") == 4);
    // What was counted in a window of ten years from now stays counted there.
    const auto cells = each->reader()->count_cells("view");
    REQUIRE(cells.ok());
    for (const auto& cell : *before) {
      const auto same = std::find_if(cells->begin(), cells->end(), [&cell](const auto& now) {
        return now.window_start_ms == cell.window_start_ms && now.type == cell.type;
      });
      REQUIRE(same != cells->end());
      CHECK(same->count >= cell.count);
    }
    std::uint64_t late = 0;
    for (const auto& cell : *cells) {
      if (cell.window_start_ms > truth + kTenYears - kDay) late += cell.count;
    }
    CHECK(late == 1);
  }
}

TEST_CASE("a clock fix of one device changes nothing of another's") {
  Device device(1);
  Device other(2);
  other.append({event(1)});
  exchange_all(device, other);
  codec::ClockFix fix;
  fix.offset_ms = -kTenYears;
  fix.ranges = {{data_heads(other.store()).at(0).log, 1, 100}};
  store::AppendEvent record;
  record.type = std::string(codec::kClockFixType);
  record.payload = codec::encode_clock_fix(fix);
  device.append({record}, std::string(kControlTopic));
  CHECK(number(*device.reader(), "SELECT count(*) FROM events WHERE ts_corrected<>ts") == 0);
}

TEST_CASE("of several clock fixes of one event the latest counts, and a broken one does not") {
  Device device(1);
  device.append({event(1), event(2), event(3)});
  const LogId log = data_heads(device.store()).at(0).log;
  const auto say = [&](Bytes payload) {
    store::AppendEvent record;
    record.type = std::string(codec::kClockFixType);
    record.payload = std::move(payload);
    device.append({record}, std::string(kControlTopic));
  };
  codec::ClockFix fix;
  fix.offset_ms = 1000;
  fix.ranges = {{log, 1, 2}};
  say(codec::encode_clock_fix(fix));
  fix.offset_ms = INT64_MAX;
  fix.ranges = {{log, 3, 3}};
  say(codec::encode_clock_fix(fix));
  fix.offset_ms = -5;
  fix.ranges = {{log, 2, 2}};
  say(codec::encode_clock_fix(fix));
  say(payload(1));
  const auto result = query(*device.reader(),
                            "SELECT ts_corrected-ts FROM events WHERE topic='events' ORDER BY seq");
  REQUIRE(result.rows.size() == 3);
  CHECK(std::get<std::int64_t>(result.rows[0][0]) == 1000);
  CHECK(std::get<std::int64_t>(result.rows[1][0]) == -5);
  CHECK(std::get<std::int64_t>(result.rows[2][0]) == std::int64_t{1} << 48);
}

TEST_CASE("a clock that was set back from ten years ahead is mended when peers vouch for it") {
  Device device(1);
  device.now.ms += kTenYears;
  device.append({event(1)});
  device.close();
  device.now.ms -= kTenYears;
  device.open();
  device.append({event(2)});
  CHECK(last_event(device).suspect);
  CHECK(last_event(device).hlc.wall().ms > device.now.ms + kTenYears - 1000);
  peers_say(device, device.now.ms);
  const CommitResult result = device.append({event(3)});
  REQUIRE(result.begun);
  REQUIRE(fixes(device).size() == 1);
  CHECK(fixes(device)[0].offset_ms == -kTenYears);
  REQUIRE(fixes(device)[0].ranges.size() == 1);  // the opening was stamped in time
  CHECK(!result.clock.suspect());
}

TEST_CASE("a relay that only received under a wrong clock stamps in time once it is set right") {
  Device author(1);
  Device relay(2);
  const WallTime truth = relay.now;
  author.now.ms += kTenYears;
  author.append({event(1)});
  relay.now.ms += kTenYears;
  relay.receive(read_all(author.store(), data_heads(author.store()).at(0)));
  relay.now = truth;
  relay.pass(seconds(60));
  peers_say(relay, relay.now.ms);
  const CommitResult result = relay.append({event(2)});
  CHECK(!result.begun);
  CHECK(!last_event(relay).suspect);
  CHECK(last_event(relay).hlc.wall().ms <= relay.now.ms + limits::kRemoteAheadMs);
}

// Changes a closed store behind everybody's back.
void tamper(const Device& device, const std::string& sql) {
  auto db = store::Connection::open((device.dir() / "ebb.db").string(),
                                    store::Connection::Mode::kReadWrite);
  REQUIRE(db.ok());
  REQUIRE((*db)->run(sql).ok());
}

TEST_CASE("a damaged segment of our own hinders no commit, and is corrected as a whole") {
  Device device(1);
  const WallTime truth = device.now;
  device.append({event(1)});
  device.now.ms += kTenYears;
  device.append({event(2), event(3)});
  device.append({event(4)});
  device.close();
  tamper(device, "UPDATE segments SET body=x'ffffffff' WHERE count=2");
  device.now = truth;
  device.pass(seconds(60));
  device.open();
  peers_say(device, device.now.ms);
  const CommitResult result = device.append({event(5)});
  REQUIRE(result.begun);
  CHECK(result.clock_troubles.size() == 1);
  REQUIRE(fixes(device).size() == 1);
  REQUIRE(fixes(device)[0].ranges.size() == 1);
  CHECK(fixes(device)[0].ranges[0].from == 2);
  CHECK(fixes(device)[0].ranges[0].to == 4);
}

// As many logs of others as there may be rows, but for `left`.
void fill_logs(const Device& device, std::size_t left) {
  tamper(device,
         "WITH RECURSIVE i(n) AS (SELECT 1+(SELECT max(n) FROM logs) UNION ALL SELECT n+1 FROM i "
         "WHERE n<" +
             std::to_string(limits::kKnownLogs - left) +
             ") INSERT INTO logs(n,id,device,incarnation,topic,seq,chain,hlc,signature,floor_seq,"
             "floor_chain,arrival,capped,wall_ms) SELECT n,randomblob(16),randomblob(32),1,'t',0,"
             "zeroblob(32),0,zeroblob(64),0,zeroblob(32),0,0,0 FROM i");
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
  fill_logs(device, left);
  device.now = truth;
  device.pass(seconds(60));
  device.open();
  peers_say(device, device.now.ms);
  store::CommitBatch batch;
  batch.appends.push_back(batch_of({event(2)}));
  batch.segments = read_all(other.store(), data_heads(other.store()).at(0));
  const CommitResult result = device.commit(std::move(batch));
  CHECK(result.segments == std::vector{store::SegmentOutcome::kRefused});
  REQUIRE(result.appends[0].ok());
  CHECK(result.begun.has_value() == (left > 0));
  CHECK(result.clock_troubles.size() == (left > 0 ? 0 : 1));
  CHECK(last_event(device).suspect == (left == 0));
}

TEST_CASE("a repair that proves wrong is corrected by the next, whatever its stamps say") {
  Device device(1);
  const std::int64_t truth = device.now.ms;
  device.append({event(1)});
  // Peers who are ten years ahead themselves convince it.
  peers_say(device, truth + kTenYears);
  REQUIRE(device.append({event(2)}).begun);
  device.pass(seconds(3600));
  const std::int64_t right = device.now.ms;
  peers_say(device, right);
  REQUIRE(device.append({event(3)}).begun);
  CHECK(fixes(device).size() == 3);
  const auto result = query(*device.reader(),
                            "SELECT ts_corrected,suspect FROM events WHERE topic='events' ORDER BY "
                            "ts_corrected");
  REQUIRE(result.rows.size() == 3);
  CHECK(std::get<std::int64_t>(result.rows[0][0]) == truth + 10);
  CHECK(std::get<std::int64_t>(result.rows[1][0]) == truth + 20);
  CHECK(std::get<std::int64_t>(result.rows[2][0]) == right + 10);
}

TEST_CASE(
    "a device with more clock fixes than are kept loses its own earliest, and no query fails") {
  Device hostile(1);
  Device device(2);
  const std::int64_t truth = device.now.ms;
  device.append({event(1)});
  device.now.ms += kTenYears;
  device.append({event(2)});
  device.now.ms -= kTenYears;
  peers_say(device, device.now.ms);
  REQUIRE(device.append({event(3)}).begun);
  hostile.append({event(1)});
  codec::ClockFix fix;
  fix.ranges = {{data_heads(hostile.store()).at(0).log, 1, 1}};
  std::vector<store::AppendItem> records;
  for (std::size_t i = 0; i <= limits::kClockFixes; ++i) {
    fix.offset_ms = static_cast<std::int64_t>(i);
    store::AppendEvent record;
    record.type = std::string(codec::kClockFixType);
    record.payload = codec::encode_clock_fix(fix);
    records.emplace_back(std::move(record));
  }
  hostile.append(std::move(records), std::string(kControlTopic));
  exchange_all(hostile, device);
  CHECK(number(*device.reader(), "SELECT max(ts_corrected-ts) FROM events WHERE topic='events'") ==
        static_cast<std::int64_t>(limits::kClockFixes));
  CHECK(number(*device.reader(), "SELECT min(ts_corrected) FROM events WHERE topic='events'") ==
        truth + 10);
  CHECK(number(*device.reader(), "SELECT count(*) FROM events WHERE ts_corrected>" +
                                     std::to_string(truth + kDay)) == 0);
}

TEST_CASE("a repair whose transaction fails is made by the next one") {
  Device device(1);
  device.now.ms += kTenYears;
  device.append({event(1)});
  device.now.ms -= kTenYears;
  peers_say(device, device.now.ms);
  const Incarnation before = device.store().incarnation();
  REQUIRE(device.store().set_page_count_max(1).ok());
  store::CommitBatch batch;
  store::AppendEvent large = event(2);
  large.payload = payload(1, std::string(60000, 'x'));
  batch.appends.push_back(batch_of({large}));
  batch.now = device.reading();
  REQUIRE(!device.store().commit(batch).ok());
  CHECK(device.store().incarnation() == before);
  REQUIRE(device.store().set_page_count_max(0).ok());
  const auto result = device.store().commit(batch);
  REQUIRE(result.ok());
  CHECK(result->begun);
  CHECK(openings(device).size() == 2);
}

}  // namespace
}  // namespace ebb::tests
