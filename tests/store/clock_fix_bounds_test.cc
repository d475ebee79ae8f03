// Which corrections of stamps are kept, and what reading them costs.
#include "store/clock_fixes.h"
#include "tests/store/clock_fixture.h"

namespace ebb::tests {
namespace {

using store::ClockFixes;

constexpr std::int64_t kOffset = 1000;

// One record for each event of the device's log of that topic, in their order.
void say_of_each(Device& device, const std::string& topic) {
  std::vector<store::AppendItem> records;
  for (const store::HeadRecord& head : data_heads(device.store())) {
    if (head.key.topic != topic || head.key.device != device.identity().device()) continue;
    for (Seq seq = 1; seq <= head.held.seq; ++seq) {
      codec::ClockFix fix;
      fix.offset_ms = kOffset;
      fix.ranges = {{head.log, seq, seq}};
      store::AppendEvent record;
      record.type = std::string(codec::kClockFixType);
      record.payload = codec::encode_clock_fix(fix);
      records.emplace_back(std::move(record));
    }
  }
  device.append(std::move(records), std::string(kControlTopic));
}

void append_many(Device& device, const std::string& topic, std::size_t count) {
  device.append(std::vector<store::AppendItem>(count, event(1)), topic);
}

struct Loaded {
  Loaded(const Device& device, const ClockFixes::Bounds& bounds) : fixes(bounds) {
    auto opened = store::Connection::open((device.dir() / "ebb.db").string(),
                                          store::Connection::Mode::kReadOnly);
    REQUIRE(opened.ok());
    REQUIRE(logs.open(**opened, false).ok());
    const auto count = [this] {
      ++segments;
      return false;
    };
    REQUIRE(fixes.load(**opened, logs, count).ok());
  }
  // Of the events of that log those that are corrected.
  std::vector<Seq> corrected(Device& author, const std::string& topic) const {
    std::vector<Seq> out;
    for (const store::HeadRecord& head : data_heads(author.store())) {
      if (head.key.topic != topic || head.key.device != author.identity().device()) continue;
      const ClockFixes::Ranges* ranges = fixes.of(head.log);
      for (Seq seq = 1; ranges != nullptr && seq <= head.held.seq; ++seq) {
        if (ranges->offset_ms(seq) == kOffset) out.push_back(seq);
      }
    }
    return out;
  }
  store::LogTable logs;
  ClockFixes fixes;
  int segments = 0;  // looked at, or looked for in vain
};

std::vector<Seq> from_to(Seq from, Seq to) {
  std::vector<Seq> out;
  for (Seq seq = from; seq <= to; ++seq)
    out.push_back(seq);
  return out;
}

TEST_CASE("of one log and of one device the latest clock fixes count, and the earlier do not") {
  Device device(1);
  append_many(device, "a", 6);
  append_many(device, "b", 6);
  say_of_each(device, "a");
  say_of_each(device, "b");
  const Loaded all(device, {});
  CHECK(all.corrected(device, "a") == from_to(1, 6));
  CHECK(all.corrected(device, "b") == from_to(1, 6));
  const Loaded by_log(device, {.of_log = 4});
  CHECK(by_log.corrected(device, "a") == from_to(3, 6));
  CHECK(by_log.corrected(device, "b") == from_to(3, 6));
  const Loaded by_device(device, {.of_device = 9});
  CHECK(by_device.corrected(device, "a") == from_to(4, 6));
  CHECK(by_device.corrected(device, "b") == from_to(1, 6));
  // So few that the earlier go while the rest is still being read.
  const Loaded by_few(device, {.of_device = 2});
  CHECK(by_few.corrected(device, "a").empty());
  CHECK(by_few.corrected(device, "b") == from_to(5, 6));
}

TEST_CASE("beyond the total the device with the most clock fixes loses its earlier half") {
  Device one(1);
  Device two(2);
  const bool in_order = one.identity().device() < two.identity().device();
  Device& much = in_order ? one : two;
  Device& little = in_order ? two : one;
  append_many(much, "a", 8);
  append_many(little, "a", 4);
  say_of_each(much, "a");
  say_of_each(little, "a");
  exchange_all(much, little);
  for (Device* device : {&much, &little}) {
    const Loaded within(*device, {.all = 12});
    CHECK(within.corrected(much, "a") == from_to(1, 8));
    CHECK(within.corrected(little, "a") == from_to(1, 4));
    const Loaded beyond(*device, {.all = 11});
    CHECK(beyond.corrected(much, "a") == from_to(5, 8));
    CHECK(beyond.corrected(little, "a") == from_to(1, 4));
  }
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
  append_many(hostile, "events", limits::kClockFixesPerLog);
  append_many(hostile, "early", 3);
  say_of_each(hostile, "early");
  for (std::size_t said = 0; said <= limits::kClockFixes; said += limits::kClockFixesPerLog)
    say_of_each(hostile, "events");
  exchange_all(hostile, device);
  const auto reader = device.reader();
  const std::string of_topic = " WHERE ts_corrected=ts+1000 AND topic=";
  CHECK(number(*reader, "SELECT count(*) FROM events" + of_topic + "'early'") == 0);
  CHECK(number(*reader, "SELECT count(*) FROM events" + of_topic + "'events'") ==
        static_cast<std::int64_t>(limits::kClockFixesPerLog));
  CHECK(number(*reader, "SELECT min(ts_corrected) FROM events WHERE topic='events'") == truth + 10);
  CHECK(number(*reader, "SELECT count(*) FROM events WHERE ts_corrected>" +
                            std::to_string(truth + kDay)) == 0);
}

TEST_CASE("where nobody has said a clock fix none of the records is read, and else few") {
  constexpr int kIncarnations = 6;
  Device device(1);
  append_many(device, "a", 2);
  for (int i = 1; i < kIncarnations; ++i) {
    REQUIRE(
        device.store().begin_incarnation(codec::OpeningReason::kRollback, device.reading()).ok());
  }
  // One look for each control log, in vain.
  CHECK(Loaded(device, {}).segments == kIncarnations);
  say_of_each(device, "a");
  // The log of the one that has spoken is read, to its end.
  CHECK(Loaded(device, {}).segments == kIncarnations + 2);
  append_many(device, "b", 1);
  REQUIRE(device.store().begin_incarnation(codec::OpeningReason::kRollback, device.reading()).ok());
  say_of_each(device, "b");
  // Another look for the new log, its reading, and all openings.
  CHECK(Loaded(device, {}).segments == (kIncarnations + 1) + 4 + (kIncarnations + 1));
}

}  // namespace
}  // namespace ebb::tests
