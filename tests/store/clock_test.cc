// What a store stamps with, whatever the machine's clock does, and how incarnations begin.
#include "store/sqlite.h"
#include "tests/store/clock_fixture.h"

namespace ebb::tests {
namespace {

using store::CounterAdd;
using store::HeadRecord;

TEST_CASE("a new store begins with an opening record that closes nothing") {
  Device device(1);
  const auto opened = openings(device);
  REQUIRE(opened.size() == 1);
  CHECK(opened[0].reason == codec::OpeningReason::kNew);
  CHECK(!opened[0].before);
  CHECK(opened[0].closes.empty());
  device.reopen();
  CHECK(openings(device).size() == 1);
}

TEST_CASE("a new incarnation begins with a record that closes every log of the one before") {
  Device device(1);
  device.append({event(1), event(2)}, "b");
  device.append({event(1)}, "a");
  const Incarnation before = device.store().incarnation();
  const auto heads = device.store().heads();
  const auto begun =
      device.store().begin_incarnation(codec::OpeningReason::kRollback, device.reading());
  REQUIRE(begun.ok());
  REQUIRE(begun->begun);
  CHECK(begun->begun->incarnation == device.store().incarnation());
  CHECK(begun->begun->incarnation != before);
  REQUIRE(begun->advances.size() == 1);
  CHECK(begun->advances[0].own_append);
  CHECK(begun->advances[0].head.key ==
        LogKey{device.identity().device(), begun->begun->incarnation, std::string(kControlTopic)});
  CHECK(begun->own_segments.size() == 1);

  const codec::Opening opening = openings(device).back();
  CHECK(opening.reason == codec::OpeningReason::kRollback);
  CHECK(opening.before == before);
  REQUIRE(opening.closes.size() == heads.size());
  CHECK(opening.closes[0].topic == kControlTopic);
  CHECK(opening.closes[1].topic == "a");
  CHECK(opening.closes[2].topic == "b");
  for (const auto& closed : opening.closes) {
    const auto named = std::find_if(heads.begin(), heads.end(), [&](const HeadRecord& head) {
      return head.key.topic == closed.topic;
    });
    REQUIRE(named != heads.end());
    CHECK(closed.end == named->held);
  }
}

TEST_CASE("a store that was set back gets a new epoch, another incarnation leaves it as it is") {
  Device device(1);
  device.append({event(1)});
  const StoreEpoch before = device.store().epoch();
  bool set_back = true;
  codec::OpeningReason reason = codec::OpeningReason::kRollback;
  SUBCASE("found by a peer") {}
  SUBCASE("restored") { reason = codec::OpeningReason::kRestore; }
  SUBCASE("only its clock was wrong") {
    reason = codec::OpeningReason::kClock;
    set_back = false;
  }
  const auto begun = device.store().begin_incarnation(reason, device.reading());
  REQUIRE(begun.ok());
  REQUIRE(begun->begun);
  const StoreEpoch epoch = device.store().epoch();
  CHECK(begun->begun->epoch == epoch);
  CHECK((epoch != before) == set_back);
  device.reopen();
  CHECK(device.store().epoch() == epoch);
}

TEST_CASE("another epoch alone is stored, and leaves incarnation, arrivals and heads as they are") {
  Device device(1);
  device.append({event(1)});
  const StoreEpoch before = device.store().epoch();
  const Incarnation incarnation = device.store().incarnation();
  const Arrival arrival = device.store().arrival_head();
  device.store().doubt_epoch();
  CHECK(device.store().epoch() == before);
  store::CommitBatch nothing;
  nothing.now = device.reading();
  const auto stored = device.store().commit(nothing);
  REQUIRE(stored.ok());
  REQUIRE(stored->epoch);
  CHECK(*stored->epoch != before);
  CHECK(!stored->begun);
  for (int start = 0; start < 2; ++start) {
    CHECK(device.store().epoch() == *stored->epoch);
    CHECK(device.store().incarnation() == incarnation);
    CHECK(device.store().arrival_head() == arrival);
    device.reopen();
  }
  CHECK(device.append({event(2)}).advances.at(0).head.arrival == arrival + 1);
}

TEST_CASE("the commit that takes another epoch has its arrivals in it, and the next takes none") {
  Device device(1);
  device.append({event(1)});
  const StoreEpoch before = device.store().epoch();
  device.store().doubt_epoch();
  SUBCASE("of appends") {
    const auto stored = device.append({event(2)});
    REQUIRE(stored.epoch);
    CHECK(*stored.epoch != before);
    CHECK(*stored.epoch == device.store().epoch());
    CHECK(!stored.advances.empty());
  }
  SUBCASE("of an incarnation that would leave it as it is") {
    const auto begun =
        device.store().begin_incarnation(codec::OpeningReason::kClock, device.reading());
    REQUIRE(begun.ok());
    REQUIRE(begun->begun);
    CHECK(begun->begun->epoch != before);
    CHECK(begun->begun->epoch == device.store().epoch());
  }
  SUBCASE("of an incarnation that takes one anyway") {
    const auto begun =
        device.store().begin_incarnation(codec::OpeningReason::kRollback, device.reading());
    REQUIRE(begun.ok());
    CHECK(begun->begun->epoch == device.store().epoch());
  }
  const StoreEpoch taken = device.store().epoch();
  CHECK(taken != before);
  CHECK(!device.append({event(3)}).epoch);
  device.reopen();
  CHECK(device.store().epoch() == taken);
}

TEST_CASE("a store that was cut off before its first incarnation begins it at the next start") {
  Device device(1);
  device.close();
  {
    auto db = store::Connection::open((device.dir() / "ebb.db").string(),
                                      store::Connection::Mode::kReadWrite);
    REQUIRE(db.ok());
    REQUIRE((*db)
                ->run("DELETE FROM meta WHERE key='incarnation'; DELETE FROM logs;"
                      "DELETE FROM segments; DELETE FROM state; DELETE FROM mark")
                .ok());
  }
  device.open();
  REQUIRE(openings(device).size() == 1);
  CHECK(openings(device)[0].reason == codec::OpeningReason::kNew);
}

TEST_CASE("a clock that went back an hour stamps on from before, marked as suspect") {
  Device device(1);
  device.append({event(1)});
  const Hlc before = last_event(device).hlc;
  CHECK(!last_event(device).suspect);
  device.now.ms -= 3600000;
  device.pass(seconds(30));
  device.append({event(2)});
  const Stored stamped = last_event(device);
  CHECK(stamped.suspect);
  CHECK(stamped.hlc.wall().ms == before.wall().ms + 30010);
  // Set right again: no harm was done, so nothing has to be mended.
  device.now.ms += 3600000;
  const Incarnation same = device.store().incarnation();
  device.append({event(3)});
  CHECK(!last_event(device).suspect);
  CHECK(last_event(device).hlc.wall().ms == device.now.ms);
  CHECK(device.store().incarnation() == same);
}

TEST_CASE("a clock that was wrong while nothing was stamped is no measure of a right one") {
  Device device(1);
  Device other(2);
  device.append({event(1)});
  other.append({event(1)});
  const WallTime truth = device.now;
  device.now.ms += kTenYears;  // what a bad battery says until the network is there
  store::CommitBatch batch;
  SUBCASE("a row of a reconciliation was stored") { batch.reconciliations.resize(1); }
  SUBCASE("a cursor was stored") { batch.cursors.push_back({other.identity().device(), 1, 1}); }
  SUBCASE("an event of another was stored") {
    other.now = device.now;
    other.append({event(2)});
    batch.segments = read_all(other.store(), data_heads(other.store()).at(0));
  }
  device.commit(std::move(batch));
  device.now = truth;
  device.pass(seconds(60));
  CHECK(!device.store().clock_judge().judge(device.reading()).suspect());
  device.append({event(3)});
  CHECK(!last_event(device).suspect);
  CHECK(last_event(device).hlc.wall().ms <= device.now.ms + limits::kRemoteAheadMs);
  CHECK(openings(device).size() == 1);
}

TEST_CASE("what a slow clock stamped while nobody contradicted is mended once peers do") {
  Device device(1);
  device.append({event(1)});
  device.reopen();
  device.pass(seconds(3600));
  device.now.ms -= 3600000;  // it stood still while the machine was off
  device.append({event(2)});
  REQUIRE(!last_event(device).suspect);
  device.now.ms += 3600000;
  peers_say(device, device.now.ms);
  const store::CommitResult result = device.append({event(3)});
  REQUIRE(result.begun);
  REQUIRE(fixes(device).size() == 1);
  CHECK(fixes(device)[0].offset_ms == 3600000);
  REQUIRE(fixes(device)[0].ranges.size() == 1);
  CHECK(fixes(device)[0].ranges[0].from == 2);
  CHECK(fixes(device)[0].ranges[0].to == 2);
}

TEST_CASE("a restart with a wall clock before the last commit goes on from the last commit") {
  Device device(1);
  device.append({event(1)});
  const Hlc last = last_event(device).hlc;
  SUBCASE("after an end in order") { device.close(); }
  SUBCASE("after a kill, with received segments committed last") {
    Device other(2);
    device.pass(seconds(500));
    other.now = device.now;
    device.receive(read_all(other.store(), other.store().heads().at(0)));
    device.close();
  }
  const WallTime stored = device.now;
  device.now = {5000};  // 1970
  device.open();
  device.append({event(2)});
  CHECK(last_event(device).suspect);
  CHECK(last_event(device).hlc > last);
  CHECK(last_event(device).hlc.wall().ms == stored.ms + 10);
}

TEST_CASE("a new store that boots in 1970 stamps from the build on") {
  Device device(1);
  device.close();
  std::filesystem::remove(device.dir() / "ebb.db");
  std::filesystem::remove(device.dir() / "ebb.db-wal");
  device.built = {1690000000000};
  device.now = {1000};
  device.open();
  device.append({event(1)});
  CHECK(last_event(device).suspect);
  CHECK(last_event(device).hlc.wall().ms == device.built.ms + 10);
  REQUIRE(openings(device).size() == 1);

  // An hour later the time arrives.
  device.pass(seconds(3600));
  device.now = {1700000000000};
  device.append({event(2)});
  CHECK(!last_event(device).suspect);
  CHECK(last_event(device).hlc.wall().ms == device.now.ms);
  REQUIRE(openings(device).size() == 2);
  CHECK(openings(device)[1].reason == codec::OpeningReason::kClock);
  REQUIRE(fixes(device).size() == 1);
  CHECK(fixes(device)[0].offset_ms == device.now.ms - device.built.ms - 3600020);
}

TEST_CASE("a node ten years ahead pulls the clocks of others by 60 s at most, and counters merge") {
  Device wrong(1);
  Device right(2);
  wrong.now.ms += kTenYears;
  wrong.append({CounterAdd{"c", 5}, event(1)});
  right.append({CounterAdd{"c", 7}});
  for (int i = 0; i < 5; ++i) {
    wrong.append({event(i)});
    exchange_all(wrong, right);
    right.append({event(i)});
    CHECK(last_event(right).hlc.wall().ms <= right.now.ms + limits::kRemoteAheadMs);
    CHECK(!last_event(right).suspect);
    if (i == 2) right.reopen();
  }
  exchange_all(wrong, right);
  CHECK(wrong.store().state_digest() == right.store().state_digest());
  REQUIRE(right.store().flush_state(right.uptime, true).ok());
  CHECK(*right.reader()->counter("events", "c") == 12);
}

TEST_CASE("a suspect clock is pulled by 60 s at most, however often it is pulled") {
  Device wrong(1);
  Device lost(2);
  wrong.now.ms += kTenYears;
  const WallTime start = lost.now;
  lost.now = {0};
  lost.reopen();
  for (int i = 0; i < 50; ++i) {
    wrong.append({event(i)});
    exchange_all(wrong, lost);
    lost.append({event(i)});
  }
  CHECK(last_event(lost).suspect);
  const std::int64_t passed = (lost.uptime - Instant{seconds(1000).us}).ms();
  CHECK(last_event(lost).hlc.wall().ms <= start.ms + passed + limits::kRemoteAheadMs);
}

TEST_CASE("clocks that jump about never stop a store, and stamps of a log only increase") {
  Device device(1);
  Rng rng(3);
  std::uint64_t appended = 0;
  for (int i = 0; i < 400; ++i) {
    device.pass(milliseconds(static_cast<std::int64_t>(rng.below(120000))));
    if (rng.chance(1, 10)) {
      const auto jump = static_cast<std::int64_t>(rng.below(2 * 3650)) - 3650;
      device.now.ms = 1700000000000 + jump * kDay;
    }
    if (rng.chance(1, 10)) peers_say(device, 1700000000000 + device.uptime.us / 1000);
    if (rng.chance(1, 10)) device.store().hear_peers(std::nullopt);
    if (rng.chance(1, 20)) device.reopen();
    REQUIRE(device.append({event(i)}).appends[0].ok());
    ++appended;
  }
  CHECK(own_events(device, "events").size() == appended);
  for (const HeadRecord& head : device.store().heads()) {
    for (const trust::VerifiedSegment& segment : read_all(device.store(), head))
      CHECK(segment.invalid_from == 0);
  }
  device.close();
  const auto report = store::verify_store(device.dir().string(), true, nullptr);
  REQUIRE(report.ok());
  CHECK(report->problems == std::vector<std::string>{});
}

}  // namespace
}  // namespace ebb::tests
