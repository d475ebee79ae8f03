// The checkers, shown that they can fail; what they find of whole runs: sim/planted_test.cc.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "sim/cluster.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"

using ebb::LogId;
using ebb::seconds;
using ebb::Uuid;
using ebb::sim::expand_seed;
using ebb::sim::Fault;
using ebb::sim::Findings;
using ebb::sim::Ledger;
using ebb::sim::Options;
using ebb::sim::OrderChecker;
using ebb::sim::Outcome;
using ebb::sim::report;

namespace {

// A small mesh with many kills.
Outcome run_small(std::uint64_t seed) {
  REQUIRE(ebb::trust::crypto_ready().ok());
  Options options = expand_seed(seed, 4, seconds(60));
  options.append_batches = 150;
  options.plan(Fault::kKill, 20);
  const ebb::tests::TempDir dir;
  return run_seed(options, dir.path().string());
}

ebb::store::AppendBatch batch_with_id(std::uint8_t id) {
  ebb::store::AppendEvent event;
  event.type = "t";
  event.id = Uuid{};
  event.id->data[0] = id;
  ebb::store::AppendBatch batch;
  batch.items.push_back(event);
  return batch;
}

ebb::store::CommitResult advance(std::uint64_t before, std::uint64_t after, std::uint64_t arrival,
                                 std::uint8_t chain = 1) {
  ebb::store::HeadAdvance moved;
  moved.head.log.data[0] = 7;
  moved.head.held.seq = after;
  moved.head.held.chain.data[0] = chain;
  moved.head.arrival = arrival;
  moved.before.seq = before;
  moved.before.chain.data[0] = 1;
  ebb::store::CommitResult result;
  result.advances.push_back(moved);
  return result;
}

}  // namespace

TEST_CASE("small runs full of kills are good") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const Outcome outcome = run_small(seed);
    CHECK_MESSAGE(outcome.good(), report(outcome));
    CHECK(outcome.faults.of(Fault::kKill) > 0);
  }
}

TEST_CASE("a dot that is given twice is found") {
  Ledger ledger;
  Findings findings;
  ledger.acknowledge(0, batch_with_id(1), {{LogId{}, 1, 1, false}}, findings);
  CHECK(findings.empty());
  ledger.acknowledge(0, batch_with_id(2), {{LogId{}, 1, 1, false}}, findings);
  CHECK(findings.count() == 1);
}

TEST_CASE("a repeated client id has to get its first dot") {
  Ledger ledger;
  Findings findings;
  ledger.acknowledge(0, batch_with_id(1), {{LogId{}, 1, 1, false}}, findings);
  ledger.acknowledge(0, batch_with_id(1), {{LogId{}, 1, 1, true}}, findings);
  CHECK(findings.empty());
  CHECK(ledger.promises().size() == 1);
  ledger.acknowledge(0, batch_with_id(1), {{LogId{}, 2, 1, true}}, findings);
  CHECK(findings.count() == 1);
}

TEST_CASE("an answer with fewer dots than events is found") {
  Ledger ledger;
  Findings findings;
  ledger.acknowledge(0, batch_with_id(1), {}, findings);
  CHECK(findings.count() == 1);
}

TEST_CASE("a head that goes back, forks or reuses an arrival is found") {
  Findings findings;
  OrderChecker order(findings);
  order.committed(0, advance(0, 5, 1));
  order.committed(1, advance(0, 5, 1));
  CHECK(findings.empty());
  SUBCASE("back") { order.committed(0, advance(5, 4, 2)); }
  SUBCASE("from elsewhere") { order.committed(0, advance(3, 8, 2)); }
  SUBCASE("another chain at a known position") { order.committed(2, advance(0, 5, 1, 2)); }
  SUBCASE("arrival again") { order.committed(0, advance(5, 6, 1)); }
  CHECK(findings.count() == 1);
}

TEST_CASE("an arrival in an epoch that is in doubt is found, but for what was under way") {
  Findings findings;
  OrderChecker order(findings);
  order.committed(0, advance(0, 5, 1));
  std::uint64_t found = 0;
  SUBCASE("begun later") {
    order.epoch_doubted(0, false);
    found = 1;
  }
  SUBCASE("under way") { order.epoch_doubted(0, true); }
  SUBCASE("in another epoch") {
    order.epoch_doubted(0, false);
    ebb::store::CommitResult taken;
    taken.epoch = 9;
    order.committed(0, taken);
  }
  order.committed(0, advance(5, 6, 2));
  CHECK(findings.count() == found);
}
