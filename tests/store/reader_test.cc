#include "store/reader.h"

#include <algorithm>
#include <functional>

#include "tests/store/sql_fixture.h"

namespace ebb::tests {
namespace {

using store::EventRow;
using store::Reader;

TEST_CASE("events are visited by filter and behind a cursor") {
  Filled filled;
  const auto reader = filled.device.reader();
  const auto rows = naive_rows(filled.device);
  const auto count_of = [&reader](const store::EventFilter& filter, std::uint64_t limit) {
    std::uint64_t count = 0;
    REQUIRE(reader
                ->events(filter, limit,
                         [&count](const EventRow&) {
                           ++count;
                           return true;
                         })
                .ok());
    return count;
  };
  const auto expected = [&rows](const std::function<bool(const Naive&)>& test) {
    return static_cast<std::uint64_t>(std::count_if(rows.begin(), rows.end(), test));
  };
  store::EventFilter filter;
  filter.topic = "clicks";
  filter.type = "type2";
  CHECK(count_of(filter, 10000) ==
        expected([](const Naive& row) { return row.topic == "clicks" && row.type == "type2"; }));
  filter = {};
  filter.ts_from = 100;
  filter.ts_to = 2000;
  CHECK(count_of(filter, 10000) ==
        expected([](const Naive& row) { return row.ts >= 100 && row.ts < 2000; }));
  CHECK(count_of(filter, 3) == 3);
  CHECK(count_of(filter, 0) == 0);
  filter = {};
  filter.device = filled.other.identity().device();
  CHECK(count_of(filter, 10000) == expected([&filled](const Naive& row) {
          return row.device == device_text(filled.other.identity().device());
        }));
  filter = {};
  std::uint64_t behind = 0;
  for (const auto& head : filled.device.store().heads()) {
    filter.after[head.log] = head.held.seq - std::min<Seq>(3, head.held.seq);
    behind += std::min<Seq>(3, head.held.seq);
  }
  CHECK(count_of(filter, 10000) == behind);
  std::vector<Dot> order;
  REQUIRE(reader
              ->events({}, UINT64_MAX,
                       [&order](const EventRow& row) {
                         order.push_back(row.dot);
                         return true;
                       })
              .ok());
  CHECK(std::is_sorted(order.begin(), order.end()));
  std::uint64_t visited = 0;
  REQUIRE(reader->events({}, 100, [&visited](const EventRow&) { return ++visited < 4; }).ok());
  CHECK(visited == 4);
}

TEST_CASE("a reader sees commits as they come and never an unfinished one") {
  Device device(1);
  device.append({event(1)});
  const auto reader = device.reader();
  CHECK(reader->heads()->at(0).held.seq == 1);
  device.append({event(2)});
  CHECK(same_head(reader->heads()->at(1), data_heads(device.store())[0]));
  CHECK(number(*reader, "SELECT max(seq) FROM events") == 2);
  device.append({event(3)}, "more");
  CHECK(reader->heads()->size() == 3);
  const LogId log = data_heads(device.store())[1].log;
  CHECK(reader->read_segments(log, 1, 0, 1 << 20)->size() == 1);
}

TEST_CASE("a reader reads a store that nobody has open, and says when there is none") {
  Device device(1);
  device.append({event(1)});
  device.close();
  CHECK(number(*device.reader(), "SELECT count(*) FROM events") == 2);
  const TempDir empty;
  const auto missing = Reader::open(empty.path().string());
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == ErrorCode::kNotFound);
}

TEST_CASE("counts by type are read as cells of one type or of all") {
  Device device(1);
  device.append({event(1, "a"), event(2, "a"), event(3, "b")});
  REQUIRE(device.store().flush_state(device.uptime, true).ok());
  const auto reader = device.reader();
  std::uint64_t total = 0;
  const auto all = reader->count_cells("");
  REQUIRE(all.ok());
  for (const auto& cell : *all)
    total += cell.count;
  CHECK(total == 4);  // with the opening record
  const auto cells = reader->count_cells("a");
  REQUIRE(cells->size() == 1);
  CHECK(cells->at(0).count == 2);
}

}  // namespace
}  // namespace ebb::tests
