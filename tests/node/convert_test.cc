#include "node/convert.h"

#include <doctest/doctest.h>

#include <limits>

#include "core/limits.h"

namespace {

using ebb::store::CommitBatch;
using ebb::store::LinkBudgetRow;

TEST_CASE("of link budgets that were not stored the last row of each class is kept") {
  CommitBatch failed;
  failed.link_budgets = {{"sat", 1, 10}, {"gsm", 1, 5}, {"sat", 1, 20}};
  CommitBatch kept;
  CHECK(ebb::node::keep_rows(failed, kept) == 0);
  CHECK(failed.link_budgets.empty());
  REQUIRE(kept.link_budgets.size() == 2);
  CHECK(kept.link_budgets[0].link_class == "gsm");
  CHECK(kept.link_budgets[1].bytes == 20);
  // What comes later goes behind, and replaces it.
  CommitBatch later;
  later.link_budgets = {{"sat", 2, 1}};
  CHECK(ebb::node::keep_rows(kept, later) == 0);
  REQUIRE(later.link_budgets.size() == 2);
  CHECK(later.link_budgets[0].bytes == 5);
  CHECK(later.link_budgets[1].day == 2);
}

TEST_CASE("of other rows that were not stored the newest are kept, and the lost ones counted") {
  CommitBatch failed;
  for (std::size_t i = 0; i < ebb::limits::kRowsKept; ++i) {
    ebb::store::ReconciliationRow row;
    row.rounds = i;
    failed.reconciliations.push_back(row);
  }
  CommitBatch later;
  later.reconciliations.emplace_back().rounds = 7777;
  CHECK(ebb::node::keep_rows(failed, later) == 1);
  REQUIRE(later.reconciliations.size() == ebb::limits::kRowsKept);
  CHECK(later.reconciliations.front().rounds == 1);
  CHECK(later.reconciliations.back().rounds == 7777);
}

TEST_CASE(
    "of cursors that were not stored the last of each peer, and each without a meaning, stay") {
  const auto peer = [](std::size_t number) {
    ebb::DeviceId id;
    id.data[0] = static_cast<std::uint8_t>(number >> 8);
    id.data[1] = static_cast<std::uint8_t>(number);
    return id;
  };
  CommitBatch failed;
  failed.cursors = {{peer(0), 1, 0}, {peer(1), 1, 5}, {peer(2), 1, 9}};
  CommitBatch later;
  later.cursors = {{peer(1), 1, 0}, {peer(2), 1, 0}, {peer(2), 2, 1}};
  for (std::size_t i = 3; i < ebb::limits::kRowsKept + 7; ++i)
    later.cursors.push_back({peer(i), 1, i});
  REQUIRE(later.cursors[3].peer == peer(3));
  later.cursors[3].arrival = std::numeric_limits<ebb::Arrival>::max();
  CHECK(ebb::node::keep_rows(failed, later) == 7);
  REQUIRE(later.cursors.size() == ebb::limits::kRowsKept);
  CHECK(later.cursors[0].peer == peer(0));
  CHECK(later.cursors[0].arrival == 0);
  CHECK(later.cursors[1].peer == peer(1));
  CHECK(later.cursors[1].arrival == 0);
  CHECK(later.cursors[2].peer == peer(3));
  CHECK(later.cursors.back().peer == peer(ebb::limits::kRowsKept + 6));
}

}  // namespace
