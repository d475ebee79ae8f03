// What roles and prefixes of a certificate do to logs; what a person at an issuer asks for; clocks.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/mesh/member_rig.h"

namespace ebb::tests {
namespace {

std::size_t count_of(const std::vector<mesh::Notice>& notices, mesh::NoticeKind kind) {
  return static_cast<std::size_t>(
      std::count_if(notices.begin(), notices.end(),
                    [kind](const mesh::Notice& notice) { return notice.kind == kind; }));
}

TEST_CASE("events of topics that their author may not write stop at the first node") {
  MemberRig rig;
  const std::size_t narrow = rig.add_member({0}, {kAllRoles, {"pump."}});
  const std::size_t reader =
      rig.add_member({0}, {trust::roles::kReader | trust::roles::kRelay, {""}});
  const std::size_t other = rig.add_member({narrow, reader});
  for (std::size_t i = 0; i < 4; ++i)
    rig.start(i);
  rig.run_for(seconds(5));
  CHECK(rig.engine(narrow).may_append("pump.1").ok());
  CHECK(rig.engine(narrow).may_append("_ebb").ok());
  REQUIRE_FALSE(rig.engine(narrow).may_append("door").ok());
  CHECK(rig.engine(narrow).may_append("door").error().context ==
        "this device may not write to this topic");
  REQUIRE_FALSE(rig.engine(reader).may_append("pump.1").ok());
  CHECK(rig.engine(reader).may_append("pump.1").error().code == ErrorCode::kPermission);
  CHECK(rig.engine(reader).may_append("pump.1").error().context ==
        "this device lacks the role writer");
  // Whoever does not ask appends anyway.
  rig.append(narrow, {"pump.1", 2});
  rig.append(narrow, {"door", 2});
  rig.append(reader, {"pump.1", 2});
  rig.append(reader, {"_ebb", 1});
  rig.run_for(seconds(60));
  CHECK(rig.store(0).events() == 3);
  CHECK(rig.store(other).events() == 3);
  CHECK(rig.engine(other).counters().authors_refused > 0);
  const std::size_t told = count_of(rig.node(other).notices, mesh::NoticeKind::kAuthorRefused);
  CHECK(told >= 1);
  CHECK(told <= 2);
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(rig.node(i).faults.empty());
  // It is not asked for again and again.
  rig.run_for(seconds(300));
  CHECK(rig.engine(other).counters().authors_refused < 12);
}

TEST_CASE("what was not taken of an author comes when a certificate allows it") {
  MemberRig rig;
  const std::size_t narrow = rig.add_member({0}, {kAllRoles, {"pump."}});
  const std::size_t other = rig.add_member({0, narrow});
  for (std::size_t i = 0; i < 3; ++i)
    rig.start(i);
  rig.append(narrow, {"door", 2});
  rig.run_for(seconds(60));
  REQUIRE(rig.store(other).events() == 0);
  mesh::IssueWanted wanted;
  wanted.token = {7};
  wanted.device = rig.store(narrow).device();
  wanted.link_key = rig_link_key(wanted.device);
  wanted.label = "wider";
  rig.input(0, wanted);
  rig.run_for(seconds(60));
  REQUIRE(rig.node(0).issued.size() == 1);
  CHECK(rig.node(0).issued[0].token == mesh::Token{7});
  REQUIRE(rig.node(0).issued[0].record.ok());
  CHECK(rig.store(0).events() == 2);
  CHECK(rig.store(other).events() == 2);
}

TEST_CASE("a device that is known is certified anew by its name alone, as it was but for that") {
  MemberRig rig;
  const std::size_t member = rig.add_member({0}, {kAllRoles, {"pump."}});
  rig.start(0);
  rig.start(member);
  rig.append(0, {"events", 2});
  rig.run_for(seconds(10));
  REQUIRE(rig.store(member).events() == 2);
  const auto change = [&](mesh::IssueWanted wanted) {
    rig.input(0, std::move(wanted));
    rig.run_for(seconds(60));
    REQUIRE(rig.node(0).issued.back().record.ok());
    const auto own = rig.engine(member).membership();
    REQUIRE(own.certificate);
    CHECK(own.standing == trust::Standing::kCertified);
    CHECK(own.certificate->link_key == rig_link_key(rig.store(member).device()));
    return *own.certificate;
  };
  mesh::IssueWanted wanted{{1}, rig.store(member).device()};
  wanted.roles = trust::roles::kWriter | trust::roles::kRelay;
  trust::Certificate now = change(wanted);
  CHECK(now.roles == (trust::roles::kWriter | trust::roles::kRelay));
  CHECK(now.prefixes == std::vector<std::string>{"pump."});
  // It reads no more.
  rig.append(0, {"events", 3});
  rig.run_for(seconds(60));
  CHECK(rig.store(member).events() == 2);
  wanted = {{2}, rig.store(member).device()};
  wanted.prefixes = {"door", "pump."};
  wanted.validity = milliseconds(30 * kDayMs);
  now = change(wanted);
  CHECK(now.roles == (trust::roles::kWriter | trust::roles::kRelay));
  CHECK(now.prefixes == std::vector<std::string>{"door", "pump."});
  CHECK(now.validity.not_after.ms < rig.wall().ms + 31 * kDayMs);
  CHECK(rig.engine(member).may_append("door").ok());
  // Nobody that is known.
  rig.input(0, mesh::IssueWanted{{3}, DeviceId{}});
  rig.run_for(seconds(5));
  CHECK(rig.node(0).issued.back().record.error().code == ErrorCode::kNotFound);
}

TEST_CASE("who is no relay brings its own logs alone; who is no reader gets control logs alone") {
  MemberRig rig;
  const std::size_t source = rig.add_member();
  const std::size_t middle =
      rig.add_member({0, source}, {trust::roles::kReader | trust::roles::kWriter, {""}});
  const std::size_t deaf =
      rig.add_member({0}, {trust::roles::kWriter | trust::roles::kRelay, {""}});
  rig.parted = [&](std::size_t a, std::size_t b) {
    const bool of_source = a == source || b == source;
    return of_source && a != middle && b != middle;
  };
  for (std::size_t i = 0; i < 4; ++i)
    rig.start(i);
  rig.append(source, {"events", 2});
  rig.append(source, {"_ebb", 1});
  rig.append(middle, {"events", 2});
  rig.append(0, {"_ebb", 1});
  rig.append(0, {"events", 1});
  rig.append(deaf, {"events", 1});
  rig.run_for(seconds(120));
  CHECK(rig.store(middle).events() == 8);
  CHECK(rig.store(0).events() == 5);  // nothing of the source, which the middle may not bring
  CHECK(rig.store(deaf).events() == 2);
  for (std::size_t i = 0; i < 4; ++i)
    CHECK(rig.node(i).faults.empty());
}

TEST_CASE("what a device has lost of its own logs comes back from who is no relay") {
  MemberRig rig;
  const std::size_t keeper =
      rig.add_member({0}, {trust::roles::kReader | trust::roles::kWriter, {""}});
  rig.append(0, {"events", 2});
  rig.start(0);
  rig.start(keeper);
  rig.run_for(seconds(5));
  REQUIRE(rig.store(keeper).events() == 2);
  rig.stop(0);
  rig.store(0).lose(rig.store(0).own_log("events"));
  rig.store(0).begin_anew(2);
  rig.start(0);
  rig.run_for(seconds(20));
  CHECK(rig.store(0).events() == 2);
  REQUIRE(rig.engine(0).links().size() == 1);
  CHECK(rig.engine(0).links()[0].state == "in_sync");
  CHECK(rig.node(0).faults.empty());
  CHECK(rig.node(keeper).faults.empty());
}

TEST_CASE("a policy is written under the next number, and no issuer says so") {
  MemberRig rig;
  const std::size_t member = rig.add_member({0});
  rig.start(0);
  rig.start(member);
  rig.run_for(seconds(2));
  rig.input(0, mesh::PolicyWanted{{1}, trust::Admit::kSecret});
  rig.input(member, mesh::PolicyWanted{{2}, trust::Admit::kSecret});
  rig.run_for(seconds(5));
  CHECK(rig.engine(member).membership().admit == trust::Admit::kSecret);
  REQUIRE(rig.node(member).issued.size() == 1);
  CHECK(rig.node(member).issued[0].record.error().code == ErrorCode::kNotFound);
  rig.input(0, mesh::PolicyWanted{{3}, trust::Admit::kInvite});
  rig.run_for(seconds(5));
  CHECK(rig.engine(member).membership().admit == trust::Admit::kInvite);
}

namespace {

constexpr std::int64_t k2041Ms = 2240611200000;

}  // namespace

TEST_CASE("a node with its clock anywhere from 1970 to 2040 is a member like any other") {
  const std::int64_t truth = MemberRig().wall().ms;
  for (const std::int64_t clock :
       {std::int64_t{0}, std::int64_t{10000 * kDayMs}, truth - 310 * kDayMs, truth - 11 * kDayMs,
        truth + 301 * kDayMs, truth + 1000 * kDayMs, k2041Ms - 1}) {
    const std::int64_t off = clock - truth;
    CAPTURE(off);
    MemberRig rig;
    const std::size_t a = rig.add_member({0});
    const std::size_t lost = rig.add_member({0, a});
    rig.node(lost).wall_off_ms = off;
    for (std::size_t i = 0; i < 3; ++i)
      rig.start(i);
    rig.append(lost, {"events", 2});
    rig.append(0, {"events", 3});
    rig.run_for(seconds(150));
    CHECK(rig.store(lost).events() == 5);
    CHECK(rig.store(a).events() == 5);
    CHECK(rig.standing(lost) == trust::Standing::kCertified);
    CHECK(rig.engine(lost).membership().clock_overruled);
    CHECK(rig.engine(lost).counters().peers_not_admitted == 0);
    CHECK(rig.engine(0).counters().certificates_issued == 0);
  }
}

TEST_CASE("four nodes sync whatever their clocks show, but for most of them the same wrong time") {
  const std::int64_t truth = MemberRig().wall().ms;
  const std::int64_t built = truth - 30 * kDayMs;
  const std::int64_t in_2040 = k2041Ms - 1;
  // Of each node, the issuer first. A clock from before the program is suspect, and not told.
  const std::vector<std::vector<std::int64_t>> clocks = {{0, truth, truth, truth},
                                                         {in_2040, truth, truth, truth},
                                                         {truth, 0, 0, truth},
                                                         {truth, 0, 0, 0},
                                                         {truth, 0, in_2040, truth},
                                                         {0, 0, 0, 0},
                                                         {truth, in_2040, in_2040, truth},
                                                         {in_2040, truth, 0, 0},
                                                         {in_2040, truth + 900 * kDayMs, 0, 0},
                                                         {in_2040, truth + 900 * kDayMs, truth, 0}};
  for (const std::vector<std::int64_t>& shown : clocks) {
    CAPTURE(&shown - clocks.data());
    MemberRig rig;
    const std::size_t a = rig.add_member({0});
    const std::size_t b = rig.add_member({0, a});
    rig.add_member({0, a, b});
    for (std::size_t i = 0; i < shown.size(); ++i) {
      rig.node(i).wall_off_ms = shown[i] - truth;
      rig.node(i).config.built = {built};
      rig.node(i).config.clock_suspect = shown[i] < built;
      rig.start(i);
      rig.append(i, {"events", 2});
    }
    rig.run_for(seconds(300));
    for (std::size_t i = 0; i < shown.size(); ++i) {
      CAPTURE(i);
      CHECK(rig.store(i).events() == 8);
    }
  }
}

TEST_CASE("two nodes alone sync whatever their clocks show, and neither locks the other out") {
  const std::int64_t truth = MemberRig().wall().ms;
  const std::int64_t built = truth - 30 * kDayMs;
  const std::int64_t in_2040 = k2041Ms - 1;
  const std::int64_t behind = truth - 11 * kDayMs;  // before certificates begin, and not suspect
  const std::int64_t ahead = truth + 900 * kDayMs;
  const std::vector<std::int64_t> shown = {0, truth, behind, ahead, in_2040};
  for (const std::int64_t first : shown) {
    for (const std::int64_t second : shown) {
      // Two that agree are most of two: that cannot be told from time that has passed.
      if (first == second && first > truth) continue;
      // So is the one clock that is set, where the other's shows that it never was.
      if (std::min(first, second) < built && std::max(first, second) > truth) continue;
      for (const bool with_issuer : {true, false}) {
        CAPTURE(first - truth);
        CAPTURE(second - truth);
        CAPTURE(with_issuer);
        MemberRig rig;
        const std::size_t a = with_issuer ? 0 : rig.add_member();
        const std::size_t b = rig.add_member({a});
        for (const std::size_t i : {a, b}) {
          const std::int64_t clock = i == a ? first : second;
          rig.node(i).wall_off_ms = clock - truth;
          rig.node(i).config.built = {built};
          rig.node(i).config.clock_suspect = clock < built;
          rig.start(i);
          rig.append(i, {"events", 2});
        }
        rig.run_for(seconds(300));
        for (const std::size_t i : {a, b}) {
          CHECK(rig.store(i).events() == 4);
          // By a clock that is behind it has not begun, which is as good (decision 0031).
          CHECK(rig.standing(i) <= trust::Standing::kNotYetValid);
          CHECK(rig.not_admitted(i) == 0);
          CHECK(rig.node(i).faults.empty());
          REQUIRE(rig.engine(i).links().size() == 1);
          CHECK(rig.engine(i).links()[0].access == "full");
          CHECK(rig.engine(i).links()[0].access_there == "full");
        }
      }
    }
  }
}

TEST_CASE(
    "a clock that is set wrong keeps two nodes apart until the other's is set, and no longer") {
  const std::int64_t truth = MemberRig().wall().ms;
  for (std::size_t ahead = 0; ahead < 2; ++ahead) {
    CAPTURE(ahead);
    MemberRig rig;
    rig.add_member({0});
    for (std::size_t i = 0; i < 2; ++i) {
      rig.node(i).wall_off_ms = i == ahead ? k2041Ms - 1 - truth : -truth;
      rig.node(i).config.built = {truth - 30 * kDayMs};
      rig.node(i).config.clock_suspect = i != ahead;
      rig.start(i);
      rig.append(i, {"events", 2});
    }
    rig.run_for(seconds(300));
    CHECK_FALSE(rig.standing(ahead) == trust::Standing::kCertified);
    const std::size_t unset = 1 - ahead;
    CHECK(rig.store(0).events() + rig.store(1).events() < 8);
    rig.node(unset).wall_off_ms = 0;
    rig.input(unset, mesh::ClockJudged{false});
    rig.run_for(seconds(300));
    for (std::size_t i = 0; i < 2; ++i) {
      CHECK(rig.store(i).events() == 4);
      CHECK(rig.standing(i) == trust::Standing::kCertified);
    }
  }
}

TEST_CASE("one peer with its clock set back makes nothing valid that has ended") {
  MemberRig rig;
  const std::size_t liar = rig.add_member();
  const std::size_t old = rig.add_member({0}, {kAllRoles, {""}, -90, -20});
  rig.node(0).membership->issuer = nullptr;
  rig.node(0).config.peers = {rig.address(liar)};
  rig.node(liar).wall_off_ms = -40 * kDayMs;
  // It would take it for a member.
  rig.parted = [&](std::size_t a, std::size_t b) {
    return std::min(a, b) == liar && std::max(a, b) == old;
  };
  for (std::size_t i = 0; i < 3; ++i)
    rig.start(i);
  rig.append(0, {"events", 3});
  rig.run_for(seconds(100));
  CHECK_FALSE(rig.engine(0).membership().clock_overruled);
  CHECK(rig.store(old).events() == 0);
}

TEST_CASE("nodes that lack records off the logs that count are told by a comparison") {
  MemberRig rig;
  const std::size_t a = rig.add_member({0});
  rig.start(0);
  rig.start(a);
  rig.run_for(seconds(5));
  rig.stop(a);
  // A gap: what takes away holds all the same, and no head shows it.
  (void)rig.write(trust::record::Time{});
  const DeviceId gone = rig.store(a).device();
  rig.node(a).membership->given = {rig.write(trust::record::Revoke{DeviceId{}, {}})};
  rig.start(a);
  rig.run_for(seconds(60));
  CHECK(rig.engine(0).counters().authority_records + rig.node(0).records_kept.size() >= 4);
  CHECK(rig.node(0).records_kept.size() == rig.node(a).records_kept.size());
  CHECK(rig.engine(0).counters().authority_compares + rig.engine(a).counters().authority_compares >=
        1);
  CHECK(gone == rig.store(a).device());
}

}  // namespace
}  // namespace ebb::tests
