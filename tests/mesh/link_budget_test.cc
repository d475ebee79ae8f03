#include "mesh/link_budget.h"

#include <doctest/doctest.h>

#include "core/limits.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

using codec::Priority;
using mesh::is_quiet;
using mesh::LinkBudget;
using mesh::LinkClass;
using mesh::mask_of;
using mesh::matches_address;

LinkClass metered(std::uint64_t daily_bytes) {
  return {"metered", {"10.0.*"}, daily_bytes, std::nullopt};
}

bool allows(const LinkBudget& budget, Priority priority) {
  return (budget.allowed(0) & mask_of(priority)) != 0;
}

TEST_CASE("address patterns: hosts, ports, stars") {
  CHECK(matches_address("10.0.*", "10.0.3.4:7401"));
  CHECK(matches_address("10.0.3.4", "10.0.3.4:7401"));
  CHECK(matches_address("10.0.3.4:*", "10.0.3.4:7401"));
  CHECK(matches_address("*.lte.example:7401", "van-3.lte.example:7401"));
  CHECK(matches_address("*", "anything:1"));
  CHECK_FALSE(matches_address("10.0.3.4:7402", "10.0.3.4:7401"));
  CHECK_FALSE(matches_address("10.0.3", "10.0.3.4:7401"));
  CHECK_FALSE(matches_address("*.lte.example:7402", "van-3.lte.example:7401"));
  CHECK_FALSE(matches_address("", "10.0.3.4:7401"));
}

TEST_CASE("quiet hours go over midnight, and end where they say") {
  CHECK(is_quiet({7 * 60, 22 * 60}, 7 * 60));
  CHECK(is_quiet({7 * 60, 22 * 60}, 22 * 60 - 1));
  CHECK_FALSE(is_quiet({7 * 60, 22 * 60}, 22 * 60));
  CHECK_FALSE(is_quiet({7 * 60, 22 * 60}, 0));
  CHECK(is_quiet({22 * 60, 6 * 60}, 0));
  CHECK(is_quiet({22 * 60, 6 * 60}, 23 * 60));
  CHECK_FALSE(is_quiet({22 * 60, 6 * 60}, 6 * 60));
}

TEST_CASE("of a day's bytes history has half, catch-up three quarters, live all; control goes on") {
  LinkBudget budget({metered(1000000)}, {});
  budget.set_time({100, 0});
  CHECK(budget.class_of("10.0.0.1:1") == 0);
  CHECK(budget.class_of("11.0.0.1:1") == LinkBudget::kNone);
  CHECK(budget.allowed(0) == mesh::kAllPriorities);
  budget.spend(0, 500000);
  CHECK_FALSE(allows(budget, Priority::kHistory));
  CHECK_FALSE(allows(budget, Priority::kBulk));
  CHECK(allows(budget, Priority::kCatchUp));
  budget.spend(0, 250000);
  CHECK_FALSE(allows(budget, Priority::kCatchUp));
  CHECK(allows(budget, Priority::kLive));
  budget.spend(0, 250000);
  CHECK(budget.allowed(0) == mask_of(Priority::kControl));
  budget.set_time({101, 0});
  CHECK(budget.allowed(0) == mesh::kAllPriorities);
  CHECK(budget.spent_today(0) == 0);
}

TEST_CASE("what is kept is never less than what is spent, and seldom written") {
  LinkBudget budget({metered(50 << 20)}, {});
  budget.set_time({100, 0});
  std::uint64_t kept = 0, spent = 0;
  int writes = 0;
  while (spent < (50 << 20)) {
    budget.spend(0, 1000);
    spent += 1000;
    for (const mesh::BudgetSpent& row : budget.take_unkept()) {
      kept = row.bytes;
      CHECK(row.day == 100);
      ++writes;
    }
    REQUIRE(kept >= spent);
  }
  CHECK(kept - spent <= (50 << 20) / 64 + 1000);
  CHECK(writes <= 65);
  const LinkBudget restarted({metered(50 << 20)}, {{"metered", 100, kept}});
  CHECK(restarted.spent_today(0) == kept);
  CHECK(restarted.allowed(0) == mask_of(Priority::kControl));
}

// A hub and a far node, between them a metered link that the hub pays for.
struct MeteredPair : Rig {
  explicit MeteredPair(const LinkClass& settings) {
    add_node(1);
    add_node(2, {0});
    node(0).config.link_classes = {settings};
    node(0).config.link_classes[0].addresses = {"node1:*"};
  }
  void begin(std::int32_t minute) {
    start(0);
    input(0, mesh::LocalTime{100, minute});
    start(1);
  }
};

TEST_CASE("a day's bytes: history stops at half, live events go on, the next day brings the rest") {
  MeteredPair rig({"metered", {}, 4 << 20, std::nullopt});
  for (int i = 0; i < 100; ++i)
    static_cast<void>(rig.store(0).append({"old", 20, 3000}));
  rig.begin(600);
  rig.run_for(seconds(30));
  const std::uint64_t events = rig.store(1).events();
  CHECK(events < 1000);
  CHECK(events > 400);
  // No more than a step beyond the half.
  CHECK(rig.wire_bytes(0, 1) + rig.wire_bytes(1, 0) < (2 << 20) + (200 << 10));
  for (int i = 0; i < 20; ++i) {
    rig.append(0, {"new", 1, 200});
    rig.run_for(milliseconds(100));
    CHECK(rig.store(1).events() == events + static_cast<std::uint64_t>(i) + 1);
  }
  // Hours later the link stands, and nobody is blamed.
  rig.run_for(seconds(3600));
  CHECK(rig.node(1).dial_times.size() == 1);
  CHECK(rig.node(0).faults.empty());
  REQUIRE(rig.engine(0).budgets().size() == 1);
  CHECK(rig.engine(0).budgets()[0].spent_today > (2 << 20));
  CHECK(rig.engine(0).budgets()[0].waiting_bytes > 0);
  CHECK(rig.engine(0).links()[0].held_back);
  const std::uint64_t before = rig.store(1).events();
  rig.input(0, mesh::LocalTime{101, 0});
  rig.run_for(seconds(30));
  CHECK(rig.store(1).events() > before + 400);
}

TEST_CASE("what was spent today survives a restart") {
  MeteredPair rig({"metered", {}, 4 << 20, std::nullopt});
  for (int i = 0; i < 100; ++i)
    static_cast<void>(rig.store(0).append({"old", 20, 3000}));
  rig.begin(600);
  rig.run_for(seconds(30));
  const std::uint64_t events = rig.store(1).events();
  for (int restart = 0; restart < 5; ++restart) {
    rig.stop(0);
    rig.run_for(seconds(5));
    rig.start(0);
    rig.input(0, mesh::LocalTime{100, 700});
    rig.run_for(seconds(120));
  }
  CHECK(rig.store(1).events() == events);
  CHECK(rig.engine(0).budgets()[0].spent_today > (2 << 20));
  CHECK(rig.wire_bytes(0, 1) < (2 << 20) + (200 << 10));
}

TEST_CASE("in quiet hours only live events go, and afterwards what waited") {
  MeteredPair rig({"metered", {}, 0, mesh::QuietHours{7 * 60, 22 * 60}});
  for (int i = 0; i < 20; ++i)
    static_cast<void>(rig.store(0).append({"old", 20, 3000}));
  rig.begin(8 * 60);
  rig.run_for(seconds(60));
  CHECK(rig.store(1).events() == 0);
  rig.append(0, {"new", 1, 200});
  rig.run_for(seconds(1));
  CHECK(rig.store(1).events() == 1);
  rig.input(0, mesh::LocalTime{100, 22 * 60});
  rig.run_for(seconds(10));
  CHECK(rig.store(1).events() == 401);
  CHECK(rig.engine(0).root() == rig.engine(1).root());
}

TEST_CASE("what a quiet link has is asked for elsewhere, where somebody else has it") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.add_node(3);
  for (int i = 0; i < 20; ++i)
    static_cast<void>(rig.store(0).append({"old", 20, 3000}));
  rig.start(0);
  rig.start(1);
  rig.run_for(seconds(10));
  REQUIRE(rig.store(1).events() == 400);
  rig.node(2).config.peers = {rig.address(0), rig.address(1)};
  rig.node(2).config.link_classes = {{"metered", {"node0:*"}, 0, mesh::QuietHours{0, 1440}}};
  rig.start(2);
  rig.input(2, mesh::LocalTime{100, 600});
  rig.run_for(seconds(20));
  CHECK(rig.store(2).events() == 400);
  CHECK(rig.wire_bytes(0, 2) < rig.wire_bytes(1, 2) / 10);
}

TEST_CASE("a topic that is live is no history, and one that is late waits even when it is new") {
  MeteredPair rig({"metered", {}, 4 << 20, std::nullopt});
  rig.node(0).config.topics = {{"vitals", mesh::TopicPriority::kLive},
                               {"debug", mesh::TopicPriority::kLate}};
  for (int i = 0; i < 100; ++i)
    static_cast<void>(rig.store(0).append({"old", 20, 3000}));
  rig.begin(600);
  rig.run_for(seconds(30));
  const std::uint64_t before = rig.store(1).events();
  // History has stopped, and with it what is late.
  rig.append(0, {"debug", 1, 200});
  rig.run_for(seconds(5));
  CHECK(rig.store(1).events() == before);
  rig.stop(0);
  for (int i = 0; i < 3; ++i)
    static_cast<void>(rig.store(0).append({"vitals", 1, 200}));
  rig.run_for(seconds(5));
  rig.start(0);
  rig.input(0, mesh::LocalTime{100, 601});
  rig.run_for(seconds(60));
  CHECK(rig.store(1).events() == before + 3);
}

}  // namespace
}  // namespace ebb::tests
