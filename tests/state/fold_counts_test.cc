// The built-in count view.
#include <doctest/doctest.h>

#include "core/rng.h"
#include "state/objects.h"
#include "tests/state/model.h"

using namespace ebb;
using namespace ebb::tests;
using state::CountCell;

namespace {

const LogId kA = log_of(0xa);
constexpr std::int64_t kNow = 1700000000000;

// Cells that a fold has after these events of log A, all of type "t" unless they say otherwise.
std::vector<CountCell> cells_of(std::vector<Happened> events) {
  const auto fold = new_fold();
  Seq seq = 0;
  for (Happened& event : events) {
    event.dot = {kA, ++seq};
    REQUIRE(apply_to(*fold, event) == state::ApplyResult::kApplied);
  }
  CHECK(fold->view_digest() == model_view_digest(model_of(events)));
  std::vector<CountCell> cells;
  for (const state::Entry& entry : fold->take_dirty()) {
    REQUIRE(entry.value.has_value());
    const auto cell = state::read_count_cell({entry.key, *entry.value});
    if (!cell.ok()) continue;
    CHECK(cell->log == kA);
    cells.push_back(*cell);
  }
  return cells;
}

Happened at(std::optional<std::int64_t> ts_ms, std::int64_t hlc_ms = kNow) {
  Happened event = plain({}, "t");
  event.ts_ms = ts_ms;
  event.hlc = Hlc::at({hlc_ms}, 7);
  return event;
}

}  // namespace

TEST_CASE("counts: an event counts in the minute of its own time") {
  const auto cells = cells_of({at(0, 0), at(59999, 0), at(60000, 0)});
  REQUIRE(cells.size() == 2);
  CHECK(cells[0].window_start_ms == 0);
  CHECK(cells[0].count == 2);
  CHECK(cells[1].window_start_ms == 60000);
  CHECK(cells[1].count == 1);
}

TEST_CASE("counts: an event without a time of its own counts in the minute of its hlc") {
  const auto cells = cells_of({at(std::nullopt, 120001)});
  REQUIRE(cells.size() == 1);
  CHECK(cells[0].window_start_ms == 120000);
  CHECK(cells[0].late == 0);
}

TEST_CASE("counts: times before 1970 fall into windows of the same length") {
  const auto cells = cells_of({at(-1), at(-60000), at(-60001)});
  REQUIRE(cells.size() == 2);
  CHECK(cells[0].window_start_ms == -120000);
  CHECK(cells[0].count == 1);
  CHECK(cells[1].window_start_ms == -60000);
  CHECK(cells[1].count == 2);
}

TEST_CASE("counts: the ends of time have windows") {
  const auto cells = cells_of({at(INT64_MIN), at(INT64_MAX), at(INT64_MIN, 0)});
  REQUIRE(cells.size() == 2);
  CHECK(cells[0].window_start_ms == INT64_MIN);
  CHECK(cells[0].count == 2);
  CHECK(cells[0].late == 2);
  CHECK(cells[1].window_start_ms == INT64_MAX / 60000 * 60000);
  CHECK(cells[1].late == 0);
}

TEST_CASE("counts: late is more than ten minutes behind the hlc, and still counted") {
  const auto cells = cells_of({at(kNow - 600000), at(kNow - 600001), at(kNow + 3600000)});
  std::uint64_t count = 0;
  std::uint64_t late = 0;
  for (const CountCell& cell : cells) {
    count += cell.count;
    late += cell.late;
  }
  CHECK(count == 3);
  CHECK(late == 1);
  CHECK(cells_of({at(kNow - 600000)})[0].late == 0);
  CHECK(cells_of({at(kNow - 600001)})[0].late == 1);
}

TEST_CASE("counts: operations count as events, under their type") {
  const auto cells = cells_of({counter_add({}, "c", 1), set_change({}, true, "s", "e")});
  REQUIRE(cells.size() == 2);
  CHECK(cells[0].type == "ebb.set.add");
  CHECK(cells[1].type == "ebb.counter.add");
}

TEST_CASE("counts: the cache of cells is never wrong, with many types, windows and logs") {
  Rng rng(5);
  const auto fold = new_fold();
  std::vector<Happened> events;
  std::map<std::uint8_t, Seq> next;
  for (int i = 0; i < 20000; ++i) {
    const auto log = static_cast<std::uint8_t>(rng.below(8));
    std::string type = "kind.of.event.";
    type += std::to_string(rng.below(50));
    Happened event = plain({log_of(log), ++next[log]}, type);
    event.ts_ms = kNow + static_cast<std::int64_t>(rng.below(20)) * 60000;
    REQUIRE(apply_to(*fold, event) == state::ApplyResult::kApplied);
    events.push_back(std::move(event));
  }
  CHECK(fold->view_digest() == model_view_digest(model_of(events)));
}
