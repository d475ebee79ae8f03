#include "node/convert.h"

#include <doctest/doctest.h>

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
  for (std::size_t i = 0; i < ebb::limits::kRowsKept; ++i)
    failed.cursors.push_back({{}, 1, i});
  CommitBatch later;
  later.cursors.push_back({{}, 1, 7777});
  CHECK(ebb::node::keep_rows(failed, later) == 1);
  REQUIRE(later.cursors.size() == ebb::limits::kRowsKept);
  CHECK(later.cursors.front().arrival == 1);
  CHECK(later.cursors.back().arrival == 7777);
}

}  // namespace
