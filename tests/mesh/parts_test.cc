// What holds of a log that is fetched in parts, whatever happens in the middle.
#include <doctest/doctest.h>

#include <string>

#include "core/limits.h"
#include "tests/mesh/holders.h"

namespace ebb::tests {
namespace {

constexpr std::size_t kSegments = 600;  // of 40 events and 17 kB
constexpr std::uint64_t kEvents = kSegments * 40;

bool shares_nothing(Holders& rig) {
  const mesh::Sharing sharing = rig.engine(kReader).sharing();
  return sharing.logs == 0 && sharing.staged_bytes == 0;
}

// All is there, and at most so many per cent came twice.
void check_fetched_once(Holders& rig, std::uint64_t percent = 5) {
  const auto took = rig.fetch(seconds(120));
  REQUIRE(took);
  MESSAGE(rig.redundant() << " events of " << rig.events << " twice, after " << took->ms()
                          << " ms");
  CHECK(rig.redundant() * 100 <= rig.events * percent);
  rig.run_for(seconds(30));  // what was on its way
  CHECK(shares_nothing(rig));
  CHECK(rig.node(kReader).faults.empty());
}

TEST_CASE("what a segment brings beyond its part is not fetched again") {
  Holders rig({kHolderRate, kHolderRate});
  // Parts are measured by the segment before, and these are longer than any part then.
  rig.write_long_log(200, 200);
  for (std::size_t i = 0; i < 20; ++i)
    rig.write({rig.topic, 4000, 8});
  rig.write_long_log(200, 200);
  rig.start_all();
  check_fetched_once(rig);
  CHECK(rig.shared_max == 1);
  CHECK(rig.engine(kReader).queued_bytes() == 0);
}

TEST_CASE("a log that is out of the scope of one holder is asked of the other alone") {
  Holders rig({kHolderRate, kHolderRate});
  rig.node(1).config.scope = {ScopeKind::kPartial, {"other"}, {}};
  rig.write_long_log(kSegments, kSegments);
  rig.topic = "other";
  rig.write_long_log(kSegments, kSegments);
  rig.start_all();
  check_fetched_once(rig);
  CHECK(rig.shared_max >= 1);
  CHECK(rig.sent_by(0) >= kEvents);
  CHECK(rig.sent_by(1) <= kEvents);
  CHECK(rig.sent_by(1) >= kEvents / 4);
}

TEST_CASE("a log that is refused leaves nothing behind in what is shared") {
  Holders rig({kHolderRate, kHolderRate});
  std::uint64_t stored = 0;
  SUBCASE("its author's quota is used up in the middle") {
    rig.write_long_log(kSegments, kSegments);
    rig.start_all();
    rig.run_until_events(kEvents / 3);
    rig.run_for(milliseconds(500));
    REQUIRE(rig.engine(kReader).sharing().logs == 1);
    rig.store(kReader).over_quota = rig.author.device();
    stored = rig.store(kReader).events();
  }
  SUBCASE("its author's quota is used up before") {
    rig.write_long_log(kSegments, kSegments);
    rig.store(kReader).over_quota = rig.author.device();
    rig.start_all();
  }
  SUBCASE("there is no row for it") {
    rig.write_long_log(kSegments, kSegments);
    rig.store(kReader).full = true;
    rig.start_all();
  }
  rig.run_for(seconds(10));
  CHECK(rig.store(kReader).events() == stored);
  CHECK(shares_nothing(rig));
  CHECK(rig.engine(kReader).queued_bytes() == 0);
  CHECK(rig.node(kReader).faults.empty());
  // Once either holder has been told no it sends no more.
  CHECK(rig.sent_by(0) + rig.sent_by(1) <= stored + kEvents / 3);
  // A link more shows it again, and nothing is in its way.
  rig.store(kReader).over_quota.reset();
  rig.store(kReader).full = false;
  for (const std::size_t holder : {0U, 1U})
    rig.cut(holder, kReader);
  REQUIRE(rig.fetch(seconds(60)));
}

TEST_CASE("a holder that is paid for, and must stop for the day, holds up nobody") {
  Holders rig({kHolderRate, kHolderRate});
  rig.write_long_log(kSegments, kSegments);
  bool by_budget = false;
  SUBCASE("quiet hours") {}
  SUBCASE("a budget") { by_budget = true; }
  rig.node(0).config.link_classes = {
      {"metered", {"node2:*"}, by_budget ? 8U << 20 : 0U, mesh::QuietHours{600, 1200}}};
  rig.start(0);
  rig.input(0, mesh::LocalTime{100, 1300});
  rig.start(kReader);
  rig.run_until_events(kEvents / 5);
  rig.start(1);
  rig.run_for(milliseconds(100));
  if (!by_budget) rig.input(0, mesh::LocalTime{101, 700});
  check_fetched_once(rig, 10);
  CHECK(rig.sent_by(0) < kEvents / 2);
}

TEST_CASE("a holder that becomes slow in the middle gives its part to the other") {
  Holders rig({kHolderRate, kHolderRate});
  rig.write_long_log(kSegments, kSegments);
  rig.start_all();
  rig.run_until_events(kEvents / 4);
  rig.rates.at(1) = kHolderRate / 50;
  const Instant begun = rig.now();
  check_fetched_once(rig);
  // What is left, from the other alone, and some time to see it; and the rest of the check.
  CHECK(rig.now() - begun <= milliseconds(7700) + seconds(4) + seconds(30));
}

TEST_CASE("what waits is bounded, of a link and of all, and so are the logs that are shared") {
  Holders rig({kHolderRate, kHolderRate * 2 / 3});
  rig.write_logs(6, 150);
  rig.node(kReader).config.tuning.worth_sharing_ms = 0;
  std::size_t staged_max = limits::kInboundBytesPerPeer;  // half of the credit of each
  SUBCASE("with much room") {}
  SUBCASE("with little") {
    rig.node(kReader).config.tuning.inbound_bytes = std::size_t{1} << 20;
    staged_max = std::size_t{512} << 10;
  }
  rig.start_all();
  check_fetched_once(rig, 10);  // what found no room comes again
  CHECK(rig.shared_max > 1);
  CHECK(rig.shared_max <= 16);
  CHECK(rig.staged_max > 0);
  CHECK(rig.staged_max <= staged_max);
}

TEST_CASE("a long control log is shared as any other") {
  Holders rig({kHolderRate, kHolderRate});
  rig.topic = "_ebb";
  rig.write_long_log(kSegments, kSegments);
  rig.start_all();
  check_fetched_once(rig);
  for (const std::size_t holder : {0U, 1U})
    CHECK(rig.sent_by(holder) * 100 >= rig.events * 40);
}

TEST_CASE("a restart in the middle loses what waits, and nothing else") {
  Holders rig({kHolderRate, kHolderRate});
  rig.write_long_log(kSegments, kSegments);
  rig.start_all();
  for (const std::uint64_t reached : {kEvents / 4, kEvents / 2}) {
    rig.run_until_events(reached);
    rig.stop(kReader);
    const std::uint64_t stored = rig.store(kReader).events();
    CHECK(stored >= reached);
    rig.start(kReader);
    rig.run_for(milliseconds(500));
    CHECK(rig.store(kReader).events() >= stored);
  }
  REQUIRE(rig.fetch(seconds(120)));
  CHECK(rig.engine(kReader).root() == rig.engine(0).root());
  // Twice comes what was staged or on its way: of each holder its credit at the most.
  const std::uint64_t lost = 2 * 2 * limits::kInboundBytesPerPeer / 17000 * 40;
  CHECK(rig.sent_by(0) + rig.sent_by(1) <= rig.events + lost);
}

}  // namespace
}  // namespace ebb::tests
