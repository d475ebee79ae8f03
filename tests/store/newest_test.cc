#include <algorithm>
#include <tuple>

#include "store/sqlite.h"
#include "tests/store/sql_fixture.h"

namespace ebb::tests {
namespace {

using store::EventFilter;
using store::EventRow;
using store::Reader;

using Place = std::pair<Hlc, Dot>;

std::vector<Place> all_places(const Reader& reader, const EventFilter& filter) {
  std::vector<Place> places;
  REQUIRE(reader
              .events(filter, UINT64_MAX,
                      [&places](const EventRow& row) {
                        places.emplace_back(row.event.hlc, row.dot);
                        return true;
                      })
              .ok());
  std::sort(places.begin(), places.end());
  return places;
}

std::vector<Place> newest(const Reader& reader, const EventFilter& filter, std::size_t events,
                          std::size_t bytes = SIZE_MAX) {
  std::vector<Place> places;
  const auto cut = reader.newest_events(filter, {events, bytes}, [&places](const EventRow& row) {
    places.emplace_back(row.event.hlc, row.dot);
  });
  REQUIRE(cut.ok());
  std::sort(places.begin(), places.end());
  return places;
}

TEST_CASE("the newest events are the last of all logs together, by filter too") {
  Filled filled;
  const auto reader = filled.device.reader();
  EventFilter of_type;
  of_type.type = "type3";
  EventFilter of_topic;
  of_topic.topic = "clicks";
  of_topic.ts_from = 1000;
  of_topic.ts_to = 3000;
  EventFilter of_device;
  of_device.device = filled.other.identity().device();
  EventFilter behind;
  for (const auto& head : filled.device.store().heads())
    behind.after[head.log] = head.held.seq - std::min<Seq>(4, head.held.seq);
  EventFilter of_data;
  of_data.data_only = true;
  for (const EventFilter& filter : {EventFilter{}, of_type, of_topic, of_device, of_data, behind}) {
    const std::vector<Place> all = all_places(*reader, filter);
    REQUIRE(all.size() > 3);
    for (const std::size_t count : {1U, 2U, 7U, 100U, 100000U}) {
      const auto some = static_cast<std::ptrdiff_t>(std::min<std::size_t>(count, all.size()));
      CHECK(newest(*reader, filter, count) == std::vector<Place>(all.end() - some, all.end()));
    }
  }
}

TEST_CASE("the newest events are found from the ends of the logs") {
  Device device(1);
  for (int i = 0; i < 200; ++i)
    device.append({event(i)});
  const auto reader = device.reader();
  int segments = 0;
  reader->set_expired([&segments] {
    ++segments;
    return false;
  });
  CHECK(newest(*reader, {}, 5).size() == 5);
  CHECK(segments < 20);
}

TEST_CASE("bytes end the newest events before their number, and leave one") {
  Device device(1);
  for (int i = 0; i < 20; ++i)
    device.append({event(i)});
  const auto reader = device.reader();
  const std::size_t each = payload(10).size() + std::string("view").size();
  const auto all = all_places(*reader, {});
  CHECK(newest(*reader, {}, 10, 3 * each) == std::vector<Place>(all.end() - 3, all.end()));
  CHECK(newest(*reader, {}, 10, 1).size() == 1);
  const auto ignore = [](const EventRow&) {};
  CHECK(reader->newest_events({}, {10, 3 * each}, ignore).value());
  CHECK_FALSE(reader->newest_events({}, {3, 3 * each}, ignore).value());
}

TEST_CASE("a pass over events that runs out of time says how far it came, and goes on there") {
  Filled filled;
  const auto reader = filled.device.reader();
  EventFilter rare;
  rare.type = "type1";
  rare.ts_from = 4900;
  rare.ts_to = 5000;
  for (const EventFilter& filter : {EventFilter{}, rare}) {
    reader->set_expired(nullptr);
    const std::vector<Place> all = all_places(*reader, filter);
    reader->set_expired([] { return true; });
    std::vector<Place> seen;
    EventFilter rest = filter;
    int passes = 0;
    for (bool expired = true; expired; ++passes) {
      REQUIRE(passes < 10000);
      const auto end = reader->events(rest, UINT64_MAX, [&seen](const EventRow& row) {
        seen.emplace_back(row.event.hlc, row.dot);
        return true;
      });
      REQUIRE(end.ok());
      expired = end->expired;
      for (const auto& [log, seq] : end->scanned) {
        CHECK(rest.after[log] <= seq);
        rest.after[log] = seq;
      }
    }
    CHECK(passes > 3);
    std::sort(seen.begin(), seen.end());
    CHECK(seen == all);
  }
}

TEST_CASE("a reader that ran out of time, or found damage, sees what is committed after it") {
  for (const bool damaged : {false, true}) {
    CAPTURE(damaged);
    Device device(1);
    for (int i = 0; i < 4; ++i)
      device.append({event(i)});
    if (damaged) {
      device.close();
      auto db = store::Connection::open((device.dir() / "ebb.db").string(),
                                        store::Connection::Mode::kReadWrite);
      REQUIRE(db.ok());
      REQUIRE((*db)->run("UPDATE segments SET body=x'ff' WHERE id&0xff=3").ok());
      db->reset();
      device.open();
    }
    const auto reader = device.reader();
    int segments = 0;
    if (!damaged) reader->set_expired([&segments] { return ++segments == 2; });
    const auto head = data_heads(device.store()).at(0);
    EventFilter of_log;
    of_log.log = head.log;
    const auto newest = reader->newest_events(of_log, {4, SIZE_MAX}, [](const EventRow&) {});
    REQUIRE_FALSE(newest.ok());
    CHECK(newest.error().code == (damaged ? ErrorCode::kCorrupt : ErrorCode::kTooLarge));
    device.append({event(5)});
    CHECK(reader->heads()->at(1).held.seq == 5);
    if (!damaged) continue;
    REQUIRE_FALSE(reader->events(of_log, 9, [](const EventRow&) { return true; }).ok());
    device.append({event(6)});
    CHECK(reader->heads()->at(1).held.seq == 6);
  }
}

TEST_CASE("what cannot be told in part is an error when its time is over") {
  Device device(1);
  std::vector<store::AppendItem> items;
  for (int i = 0; i < 300; ++i)
    items.push_back(event(i, "type" + std::to_string(i)));
  device.append(items);
  REQUIRE(device.store().flush_state(device.uptime, true).ok());
  const auto reader = device.reader();
  reader->set_expired([] { return true; });
  const auto is_time = [](const Error& error) {
    return error.code == ErrorCode::kTooLarge && error.context == "time";
  };
  CHECK(is_time(reader->newest_events({}, {1, 1}, [](const EventRow&) {}).error()));
  CHECK(is_time(reader->count_cells("").error()));
  CHECK(is_time(reader->sql("SELECT count(*) FROM events a, events b", {}).error()));
  reader->set_expired(nullptr);
  CHECK(reader->count_cells("")->size() == 301);  // with that of the opening record
}

}  // namespace
}  // namespace ebb::tests
