// What tests of reading share: a store with much in it, a naive list of what it holds, and short
// forms of queries.
//
// Threads: not thread-safe; one test.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tests/store/store_fixture.h"

namespace ebb::tests {

inline store::SqlResult query(const store::Reader& reader, std::string_view sql) {
  auto result = reader.sql(sql, {});
  if (!result.ok()) FAIL(std::string(sql), ": ", result.error().message());
  return std::move(result).value();
}

inline std::int64_t number(const store::Reader& reader, std::string_view sql) {
  const store::SqlResult result = query(reader, sql);
  REQUIRE(result.rows.size() == 1);
  REQUIRE(std::holds_alternative<std::int64_t>(result.rows[0][0]));
  return std::get<std::int64_t>(result.rows[0][0]);
}

inline std::string text(const store::SqlValue& value) {
  REQUIRE(std::holds_alternative<std::string>(value));
  return std::get<std::string>(value);
}

// Three logs of two devices, with segments of many sizes, some merged.
struct Filled {
  Filled() : device(1), other(2) {
    Rng rng(5);
    fill(other, rng, 20);
    fill(device, rng, 60);
    for (const auto& head : other.store().heads())
      device.receive(read_all(other.store(), head));
    for (int i = 0; i < 3; ++i)
      REQUIRE(device.store().merge_step().ok());
    fill(device, rng, 10);
  }
  static void fill(Device& device, Rng& rng, int commits) {
    for (int i = 0; i < commits; ++i) {
      std::vector<store::AppendItem> items;
      for (std::uint64_t k = rng.between(1, 20); k > 0; --k) {
        const auto n = static_cast<std::int64_t>(rng.below(1000));
        store::AppendEvent item = event(n, "type" + std::to_string(rng.below(5)));
        if (rng.chance(1, 2)) item.ts_ms = static_cast<std::int64_t>(rng.below(5000));
        if (rng.chance(1, 3)) item.source = "s" + std::to_string(rng.below(3));
        if (rng.chance(1, 4)) item.id = uuid(rng.next());
        items.push_back(item);
      }
      device.append(items, rng.chance(1, 3) ? "clicks" : "views");
    }
  }
  Device device;
  Device other;
};

// An event as the naive scan sees it.
struct Naive {
  std::string device, topic, type, log;
  std::int64_t seq = 0, ts = 0;
};

inline std::vector<Naive> naive_rows(const Device& device) {
  std::vector<Naive> rows;
  const auto visited = device.reader()->events({}, UINT64_MAX, [&rows](const store::EventRow& row) {
    rows.push_back({device_text(row.key.device), row.key.topic, std::string(row.event.type),
                    log_text(row.dot.log), static_cast<std::int64_t>(row.dot.seq),
                    row.event.effective_ts_ms()});
    return true;
  });
  REQUIRE(visited.ok());
  return rows;
}

}  // namespace ebb::tests
