// An issuer says that it is that late, when nothing else that it signs does.
#include "mesh/time_records.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <variant>
#include <vector>

#include "tests/mesh/member_rig.h"

namespace ebb::tests {
namespace {

constexpr Duration kDay = milliseconds(kDayMs);

// The issuer and some members, linked for good. All that they hold was signed `days` ago, and the
// floor is where the mesh was made.
struct Quiet : MemberRig {
  explicit Quiet(std::size_t members, std::int64_t days = 31) {
    for (std::size_t i = 0; i < members; ++i)
      add_member({0});
    for (std::size_t i = 0; i < size(); ++i)
      node(i).wall_off_ms = days * kDayMs;
  }
  // With nothing to do for weeks but what is tested.
  void begin() {
    datagrams = false;
    for (std::size_t i = 0; i < size(); ++i) {
      node(i).config.ping_idle = kDay;
      node(i).config.gossip_interval = kDay * 1000;
      node(i).config.gossip_interval_lonely = kDay * 1000;
      node(i).config.shuffle_interval = kDay;
      node(i).config.audit_interval = kDay;
      start(i);
    }
  }
  // That node i has kept since it was made.
  std::vector<WallTime> times(std::size_t i) {
    std::vector<WallTime> all;
    for (const Bytes& record : node(i).records_kept) {
      const auto read = trust::read_authority_record(node(i).config.mesh, record);
      if (read.ok() && std::holds_alternative<trust::record::Time>(read->record.content)) {
        all.push_back(read->record.at);
      }
    }
    return all;
  }
  std::vector<WallTime> signed_after(Duration time) {
    begin();
    run_for(time);
    return times(0);
  }
};

TEST_CASE("where nobody signs anything for a month an issuer says the time, and floors move") {
  Quiet rig(3);
  const std::vector<WallTime> told = rig.signed_after(kDay + seconds(300));
  REQUIRE(told.size() == 1);
  for (std::size_t i = 0; i < rig.size(); ++i) {
    CAPTURE(i);
    CHECK(rig.times(i) == told);
    CHECK(rig.node(i).floors_kept.by_issuers == told.front());
    CHECK(rig.node(i).faults.empty());
  }
  // Once a month, on links that nobody has made anew. Who was away hears of it, too.
  rig.stop(3);
  rig.run_for(kDay * 29);
  CHECK(rig.times(0).size() == 1);
  for (int hours = 0; hours < 50 && rig.times(0).size() == 1; ++hours)
    rig.run_for(kDay / 24);
  rig.run_for(seconds(120));
  REQUIRE(rig.times(0).size() == 2);
  CHECK(rig.times(0).back().ms - told.front().ms >= 30 * kDayMs);
  CHECK(rig.times(0).back().ms - told.front().ms <= 31 * kDayMs + 300000);
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(rig.node(i).floors_kept.by_issuers == rig.times(0).back());
  rig.start(3);
  rig.run_for(seconds(200));
  CHECK(rig.times(3).size() == 2);
  CHECK(rig.node(3).floors_kept.by_issuers == rig.times(0).back());
}

TEST_CASE("no issuer says the time that has signed something, or that two peers do not confirm") {
  SUBCASE("its last record is not old") {
    Quiet rig(3, 28);
    CHECK(rig.signed_after(kDay * 3 / 2).empty());
  }
  SUBCASE("one peer is too few") {
    Quiet rig(1);
    CHECK(rig.signed_after(kDay * 2).empty());
  }
  SUBCASE("of two one shows another time") {
    Quiet rig(2);
    rig.node(2).wall_off_ms -= 2 * kDayMs;
    CHECK(rig.signed_after(kDay * 2).empty());
  }
  SUBCASE("its own clock is the one that is wrong") {
    Quiet rig(3);
    rig.node(0).wall_off_ms += 3 * kDayMs;
    CHECK(rig.signed_after(kDay * 2).empty());
  }
  SUBCASE("its store was set back") {
    Quiet rig(3);
    rig.node(0).membership->set_back = true;
    rig.node(0).membership->signed_to = Position{99, {}};
    CHECK(rig.signed_after(kDay * 2).empty());
  }
}

TEST_CASE("of two issuers one says the time") {
  Quiet rig(2);
  const std::size_t other = rig.add_issuer({0, 1}, {kAllRoles | trust::roles::kIssuer, {""}});
  rig.node(other).wall_off_ms = rig.node(0).wall_off_ms;
  CHECK(rig.signed_after(kDay * 2).size() == 1);
  CHECK(rig.times(other).size() == 1);
}

TEST_CASE("one that could not be kept at first is the same bytes later") {
  Quiet rig(2);
  bool fails = true;
  rig.fails_authority = [&fails](std::size_t i) { return i == 0 && fails; };
  CHECK(rig.signed_after(kDay + seconds(300)).empty());
  CHECK(rig.times(1).empty());
  fails = false;
  rig.run_for(seconds(600));
  REQUIRE(rig.times(0).size() == 1);
  CHECK(rig.times(1) == rig.times(0));
  CHECK(rig.times(0).front().ms < rig.wall().ms + rig.node(0).wall_off_ms - 300000);
}

TEST_CASE("links that stand tell the time again, so that a certificate's record moves floors") {
  Quiet rig(2, 0);
  rig.begin();
  rig.run_for(kDay * 5 / 2);
  mesh::IssueWanted wanted{{1}, rig.store(1).device()};
  rig.input(0, std::move(wanted));
  rig.run_for(seconds(120));
  REQUIRE(rig.node(0).issued.size() == 1);
  for (std::size_t i = 0; i < rig.size(); ++i) {
    CAPTURE(i);
    CHECK(rig.node(i).floors_kept.by_issuers.ms > rig.wall().ms - 200000);
  }
}

}  // namespace
}  // namespace ebb::tests
