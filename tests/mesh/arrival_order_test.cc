#include "mesh/arrival_order.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <vector>

#include "core/rng.h"

namespace ebb::mesh {
namespace {

LogId log_number(std::uint8_t number) {
  LogId log;
  log.data.fill(number);
  return log;
}

std::vector<LogId> behind(const ArrivalOrder& order, Arrival arrival) {
  std::vector<LogId> found;
  for (auto it = order.upper_bound(arrival); !(it == order.end()); ++it)
    found.push_back(it->second);
  return found;
}

std::vector<LogId> behind(const std::map<Arrival, LogId>& order, Arrival arrival) {
  std::vector<LogId> found;
  for (auto it = order.upper_bound(arrival); it != order.end(); ++it)
    found.push_back(it->second);
  return found;
}

}  // namespace

TEST_CASE("logs in order of arrival are found as in a map, wherever one begins to look") {
  Rng rng(3);
  ArrivalOrder order;
  std::map<Arrival, LogId> expected;
  std::map<LogId, Arrival> where;
  CHECK(behind(order, 0).empty());
  Arrival head = 0;
  for (int step = 0; step < 3000; ++step) {
    // Some logs move all the time, others are left far behind.
    const LogId log =
        log_number(static_cast<std::uint8_t>(rng.chance(3, 4) ? rng.below(5) : rng.below(200)));
    const Arrival before = where[log];
    head += rng.between(1, 3);
    order.move(log, before, head);
    expected.erase(before);
    expected[head] = log;
    where[log] = head;
    const Arrival from = rng.chance(1, 2) ? head - rng.below(8) % head : rng.below(head + 2);
    REQUIRE(behind(order, from) == behind(expected, from));
    std::vector<LogId> newest = behind(expected, from);
    const std::vector<ArrivalOrder::Place> found = order.newest(from, head, 4);
    REQUIRE(found.size() == std::min<std::size_t>(newest.size(), 4));
    for (std::size_t i = 0; i < found.size(); ++i)
      REQUIRE(found[i].second == newest[newest.size() - 1 - i]);
  }
  for (Arrival from = 0; from <= head + 1; ++from)
    REQUIRE(behind(order, from) == behind(expected, from));
}

}  // namespace ebb::mesh
