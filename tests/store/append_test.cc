#include <algorithm>

#include "codec/event.h"
#include "core/limits.h"
#include "state/objects.h"
#include "tests/store/store_fixture.h"

namespace ebb::tests {
namespace {

using store::AppendBatch;
using store::AppendEvent;
using store::AppendItem;
using store::CommitBatch;
using store::CommitResult;
using store::CounterAdd;
using store::DotRange;
using store::SetChange;

const std::vector<DotRange>& ranges_of(const CommitResult& result, std::size_t index = 0) {
  REQUIRE(result.appends.size() > index);
  const auto& ranges = result.appends[index];
  if (!ranges.ok()) FAIL(ranges.error().message());
  return *ranges;
}

AppendEvent with_id(std::int64_t n, std::uint64_t id) {
  AppendEvent out = event(n);
  out.id = uuid(id);
  return out;
}

TEST_CASE("appended events read back as they were given") {
  Device device(1);
  AppendEvent first = event(1, "page_view");
  first.ts_ms = -5;
  first.source = "sensor-7";
  first.schema = 3;
  first.id = uuid(42);
  const CommitResult result = device.append({first, event(2)});

  const auto& ranges = ranges_of(result);
  REQUIRE(ranges.size() == 1);
  CHECK(ranges[0].first_seq == 1);
  CHECK(ranges[0].count == 2);
  CHECK_FALSE(ranges[0].duplicate);
  REQUIRE(result.own_segments.size() == 1);
  REQUIRE(result.advances.size() == 1);
  CHECK(result.advances[0].own_append);
  CHECK(result.advances[0].before.seq == 0);
  CHECK(result.advances[0].head.held.seq == 2);
  CHECK(result.arrival_head == 2);

  const auto heads = data_heads(device.store());
  REQUIRE(heads.size() == 1);
  CHECK(heads[0].key.device == device.identity().device());
  CHECK(heads[0].key.topic == "events");
  const auto stored = event_bytes_of(device.store(), heads[0]);
  REQUIRE(stored.size() == 2);
  const auto one = codec::decode_event(stored[0]);
  REQUIRE(one.ok());
  CHECK(one->type == "page_view");
  CHECK(one->ts_ms == -5);
  CHECK(one->source == std::optional<std::string_view>("sensor-7"));
  CHECK(one->schema == 3);
  CHECK(one->id == uuid(42));
  CHECK(equal(one->payload, first.payload));
  const auto two = codec::decode_event(stored[1]);
  REQUIRE(two.ok());
  CHECK_FALSE(two->ts_ms.has_value());
  CHECK_FALSE(two->source.has_value());
  CHECK_FALSE(two->id.has_value());
  CHECK(two->hlc > one->hlc);
}

TEST_CASE("a repeated client id returns the first dot and writes nothing") {
  Device device(1);
  device.append({event(0), with_id(1, 10), with_id(2, 11)});
  const auto head = data_heads(device.store()).at(0);
  const CommitResult again = device.append({with_id(1, 10), with_id(2, 11)});
  const auto& ranges = ranges_of(again);
  REQUIRE(ranges.size() == 1);
  CHECK(ranges[0].log == head.log);
  CHECK(ranges[0].first_seq == 2);
  CHECK(ranges[0].count == 2);
  CHECK(ranges[0].duplicate);
  CHECK(again.advances.empty());
  CHECK(again.own_segments.empty());
  CHECK(same_head(data_heads(device.store()).at(0), head));
  CHECK(device.store().arrival_head() == 2);

  SUBCASE("after a reopen") {
    device.reopen();
    const auto later = device.append({with_id(9, 11)});
    CHECK(ranges_of(later)[0].first_seq == 3);
    CHECK(ranges_of(later)[0].duplicate);
  }
  SUBCASE("in another topic") {
    const auto other = device.append({with_id(9, 11)}, "other");
    CHECK(ranges_of(other)[0].log == head.log);
    CHECK(ranges_of(other)[0].first_seq == 3);
    CHECK(data_heads(device.store()).size() == 1);
  }
}

TEST_CASE("a client id repeated inside one commit counts once") {
  Device device(1);
  CommitBatch commit;
  commit.appends.push_back(batch_of({with_id(1, 5), event(2), with_id(1, 5), event(3)}));
  commit.appends.push_back(batch_of({with_id(1, 5)}, "other"));
  const CommitResult result = device.commit(commit);
  const auto& ranges = ranges_of(result);
  REQUIRE(ranges.size() == 3);
  CHECK(ranges[0].count == 2);
  CHECK(ranges[1].first_seq == 1);
  CHECK(ranges[1].duplicate);
  CHECK(ranges[2].first_seq == 3);
  CHECK(ranges_of(result, 1)[0].duplicate);
  REQUIRE(data_heads(device.store()).size() == 1);
  CHECK(data_heads(device.store())[0].held.seq == 3);
}

TEST_CASE("a batch that is refused harms no other batch of its commit") {
  Device device(1);
  AppendEvent too_large = event(1);
  codec::ValueBuilder builder(std::size_t{1} << 20, limits::kDepth);
  builder.str(std::string(limits::kPayloadBytes + 1, 'x'));
  too_large.payload = builder.finish().value();

  CommitBatch commit;
  commit.appends.push_back(batch_of({event(1), event(2)}));
  commit.appends.push_back(batch_of({with_id(3, 1), CounterAdd{"c", 5}, too_large}));
  commit.appends.push_back(batch_of({with_id(4, 1)}));
  commit.appends.push_back(batch_of({event(5)}, "Not A Topic"));
  commit.appends.push_back(batch_of({event(6, "")}, "fresh"));
  commit.appends.push_back(batch_of({event(7, "ebb.counter.add")}));
  commit.appends.push_back(batch_of({SetChange{"", "element", true, {}}}));
  const CommitResult result = device.commit(commit);
  CHECK(ranges_of(result, 0)[0].first_seq == 1);
  REQUIRE_FALSE(result.appends[1].ok());
  CHECK(result.appends[1].error().code == ErrorCode::kTooLarge);
  CHECK(ranges_of(result, 2)[0].first_seq == 3);
  CHECK_FALSE(ranges_of(result, 2)[0].duplicate);
  CHECK(result.appends[3].error().code == ErrorCode::kInvalidArgument);
  CHECK(result.appends[4].error().code == ErrorCode::kInvalidArgument);
  CHECK(result.appends[5].error().code == ErrorCode::kInvalidArgument);
  CHECK(result.appends[6].error().code == ErrorCode::kInvalidArgument);
  const auto heads = data_heads(device.store());
  REQUIRE(heads.size() == 1);
  CHECK(heads[0].held.seq == 3);
  CHECK(event_bytes_of(device.store(), heads[0]).size() == 3);
  CHECK(device.store().applied().at(heads[0].log).seq == 3);
}

TEST_CASE("all events of a topic in one commit are one segment") {
  Device device(1);
  CommitBatch commit;
  for (int i = 0; i < 10; ++i) {
    commit.appends.push_back(batch_of({event(i), event(i)}, i % 2 == 0 ? "even" : "odd"));
  }
  const CommitResult result = device.commit(commit);
  REQUIRE(result.own_segments.size() == 2);
  CHECK(result.own_segments[0].count == 10);
  CHECK(result.advances.size() == 2);
  CHECK(device.store().arrival_head() == 3);
}

TEST_CASE("a commit larger than a segment at rest is split") {
  Device device(1);
  std::vector<AppendItem> items;
  for (std::size_t i = 0; i < limits::kSegmentRestEvents + 10; ++i)
    items.push_back(event(1));
  const CommitResult by_count = device.append(items);
  REQUIRE(by_count.own_segments.size() == 2);
  CHECK(by_count.own_segments[0].count == limits::kSegmentRestEvents);
  CHECK(by_count.own_segments[1].count == 10);

  std::vector<AppendItem> large;
  for (int i = 0; i < 9; ++i) {
    AppendEvent item = event(1);
    item.payload = payload(i, std::string(60000, 'x'));
    large.push_back(item);
  }
  const CommitResult by_bytes = device.append(large, "large");
  REQUIRE(by_bytes.own_segments.size() == 3);
  for (const auto& segment : by_bytes.own_segments)
    CHECK(segment.raw->size() <= limits::kSegmentDecodedBytes);
  for (const auto& head : data_heads(device.store()))
    CHECK(event_bytes_of(device.store(), head).size() == head.held.seq);
}

TEST_CASE("a segment that fills one at rest is compressed at once and never rewritten") {
  Device device(1);
  std::vector<AppendItem> items(limits::kSegmentRestEvents, event(1));
  const CommitResult full = device.append(items);
  REQUIRE(full.own_segments.size() == 1);
  CHECK(full.own_segments[0].codec == codec::SegmentCodec::kZstd);
  CHECK(full.own_segments[0].encoded->size() < full.own_segments[0].raw->size());
  const CommitResult small = device.append({event(2)});
  CHECK(small.own_segments.at(0).codec == codec::SegmentCodec::kRaw);

  const auto merged = device.store().merge_step();
  REQUIRE(merged.ok());
  CHECK_FALSE(*merged);
  const auto stored = device.store().read_segments(full.own_segments[0].log, 1, 0, SIZE_MAX);
  REQUIRE(stored.ok());
  REQUIRE(stored->size() == 2);
  CHECK(*stored->at(0) == *full.own_segments[0].encoded);
}

TEST_CASE("set changes of one commit see each other") {
  Device device(1);
  device.append({SetChange{"cart", "milk", true, {}}});
  const CommitResult result =
      device.append({SetChange{"cart", "milk", false, {}}, SetChange{"cart", "milk", true, {}},
                     SetChange{"cart", "bread", true, {}}});
  const auto& segment = result.own_segments.at(0);
  const auto kills_of = [&segment](std::uint32_t index) {
    const auto decoded = codec::decode_event(segment.event_bytes(index));
    REQUIRE(decoded.ok());
    return codec::to_json(decoded->payload).value();
  };
  const std::string log = log_text(segment.log);
  CHECK(kills_of(0).find("\"" + log + ":1\"") != std::string::npos);
  CHECK(kills_of(1).find("\"" + log + ":2\"") != std::string::npos);
  CHECK(kills_of(1).find(log + ":1\"") == std::string::npos);
  CHECK(kills_of(2).find(log) == std::string::npos);
  CHECK(device.store().flush_state(device.uptime, true).ok());
  const auto elements = device.reader()->set_elements("events", "cart");
  REQUIRE(elements.ok());
  CHECK(*elements == std::vector<std::string>{"bread", "milk"});
}

TEST_CASE("counters add up") {
  Device device(1);
  device.append({CounterAdd{"visits", 5}, CounterAdd{"visits", -2}});
  device.append({CounterAdd{"visits", 10}});
  REQUIRE(device.store().flush_state(device.uptime, true).ok());
  const auto total = device.reader()->counter("events", "visits");
  REQUIRE(total.ok());
  CHECK(state::int128_text(*total) == "13");
}

TEST_CASE("a device has a bounded number of topics") {
  Device device(1);
  CommitBatch commit;
  for (std::size_t i = 0; i < limits::kTopicsPerDevice + 1; ++i)
    commit.appends.push_back(batch_of({event(1)}, "topic" + std::to_string(i)));
  const CommitResult result = device.commit(commit);
  CHECK(result.appends[limits::kTopicsPerDevice - 1].ok());
  REQUIRE_FALSE(result.appends[limits::kTopicsPerDevice].ok());
  CHECK(result.appends[limits::kTopicsPerDevice].error().code == ErrorCode::kTooLarge);
  device.reopen();
  CHECK_FALSE(device.append({event(1)}, "one-more").appends[0].ok());
  CHECK(device.append({event(1)}, "topic3").appends[0].ok());
  CHECK(device.append({event(1)}, std::string(kControlTopic)).appends[0].ok());
}

TEST_CASE("a new incarnation starts new logs and keeps the old ones") {
  Device device(1);
  device.append({with_id(1, 1), event(2)});
  const auto before = device.store().incarnation();
  REQUIRE(device.store().begin_incarnation(codec::OpeningReason::kRollback, device.reading()).ok());
  CHECK(device.store().incarnation() != before);
  const CommitResult after = device.append({event(3)});
  CHECK(ranges_of(after)[0].first_seq == 1);
  CHECK(ranges_of(device.append({with_id(1, 1)}))[0].duplicate);
  CHECK(data_heads(device.store()).size() == 2);
  const auto incarnation = device.store().incarnation();
  device.reopen();
  CHECK(device.store().incarnation() == incarnation);
  CHECK(ranges_of(device.append({event(4)}))[0].first_seq == 2);
}

// `count` adds of one element that know nothing of each other, as from so many devices.
std::vector<AppendItem> adds_apart(std::string_view set, std::string_view element,
                                   std::size_t count) {
  AppendEvent add = event(0, std::string(state::kSetAddType));
  add.payload = state::set_payload(set, element, {}).value();
  return std::vector<AppendItem>(count, add);
}

// How many dots each operation of a segment kills.
std::vector<std::size_t> kill_counts(const trust::VerifiedSegment& segment) {
  std::vector<std::size_t> counts;
  for (std::uint32_t i = 0; i < segment.count; ++i) {
    const auto decoded = codec::decode_event(segment.event_bytes(i));
    REQUIRE(decoded.ok());
    const std::string json = codec::to_json(decoded->payload).value();
    counts.push_back(static_cast<std::size_t>(std::count(json.begin(), json.end(), ':')) - 3);
  }
  return counts;
}

TEST_CASE("an element with more live dots than one operation can kill is removed all the same") {
  Device device(1);
  const std::string topic(kControlTopic);
  constexpr std::size_t kDots = 2 * limits::kKillsPerOperation + 10;
  device.append(adds_apart("s", "e", kDots), topic);
  SetChange remove{"s", "e", false, uuid(7)};
  const CommitResult result = device.append({remove, SetChange{"s", "f", true, {}}}, topic);
  CHECK(kill_counts(result.own_segments.at(0)) ==
        std::vector<std::size_t>{limits::kKillsPerOperation, limits::kKillsPerOperation, 12, 0});
  // An item has one dot, that of the operation that ended it.
  const auto& ranges = ranges_of(result);
  REQUIRE(ranges.size() == 1);
  CHECK(ranges[0].first_seq == kDots + 4);
  CHECK(ranges[0].count == 2);
  const auto again = device.append({remove}, topic);
  CHECK(ranges_of(again)[0].first_seq == kDots + 4);
  CHECK(ranges_of(again)[0].duplicate);
  REQUIRE(device.store().flush_state(device.uptime, true).ok());
  CHECK(*device.reader()->set_elements(topic, "s") == std::vector<std::string>{"f"});
  CHECK(kill_counts(device.append({SetChange{"s", "e", false, {}}}, topic).own_segments.at(0)) ==
        std::vector<std::size_t>{1});
}

TEST_CASE("an add to an element with too many live dots kills what it can") {
  Device device(1);
  const std::string topic(kControlTopic);
  constexpr std::size_t kDots = limits::kKillsPerOperation + 10;
  device.append(adds_apart("s", "e", kDots), topic);
  const CommitResult result =
      device.append({SetChange{"s", "e", true, {}}, SetChange{"s", "e", false, {}}}, topic);
  CHECK(kill_counts(result.own_segments.at(0)) ==
        std::vector<std::size_t>{limits::kKillsPerOperation, 11});
  REQUIRE(device.store().flush_state(device.uptime, true).ok());
  CHECK(device.reader()->set_elements(topic, "s")->empty());
}

TEST_CASE("operations on objects with a client id count once") {
  Device device(1);
  const CounterAdd add{"visits", 5, uuid(1)};
  const SetChange put{"cart", "milk", true, uuid(2)};
  device.append({add, put, add});
  const CommitResult again = device.append({add, put});
  REQUIRE(ranges_of(again).size() == 1);
  CHECK(ranges_of(again)[0].first_seq == 1);
  CHECK(ranges_of(again)[0].count == 2);
  CHECK(ranges_of(again)[0].duplicate);
  CHECK(again.own_segments.empty());
  device.reopen();
  CHECK(ranges_of(device.append({add}))[0].duplicate);
  REQUIRE(device.store().flush_state(device.uptime, true).ok());
  CHECK(state::int128_text(*device.reader()->counter("events", "visits")) == "5");
}

}  // namespace
}  // namespace ebb::tests
