// Who is let in: records before HELLO, verdicts, certificates for who asks.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/mesh/member_rig.h"

namespace ebb::tests {
namespace {

// Not only a stream, over which it hears why not.
bool is_linked(MemberRig& rig, std::size_t i, std::size_t to) {
  const std::vector<mesh::LinkStatus> links = rig.engine(i).links();
  return std::any_of(links.begin(), links.end(), [&](const mesh::LinkStatus& link) {
    return link.peer == rig.store(to).device() && link.access == "full";
  });
}

TEST_CASE("certified nodes are greeted, and know the same of authorities") {
  MemberRig rig;
  const std::size_t a = rig.add_member({0});
  const std::size_t b = rig.add_member({a});
  for (std::size_t i = 0; i < 3; ++i)
    rig.start(i);
  rig.append(b, {"events", 5});
  rig.run_for(seconds(10));
  CHECK(rig.store(0).events() == 5);
  CHECK(rig.agree({0, a, b}));
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(rig.standing(i) == trust::Standing::kCertified);
    CHECK(rig.node(i).faults.empty());
    CHECK(rig.engine(i).counters().authority_compares == 0);
    for (const mesh::LinkStatus& link : rig.engine(i).links()) {
      CHECK(link.access == "full");
      CHECK(link.access_there == "full");
    }
  }
}

TEST_CASE("who has no certificate hears why, gets no event and gives none") {
  MemberRig rig;
  const std::size_t member = rig.add_member({0});
  const std::size_t stranger = rig.add_stranger({0, member});
  for (std::size_t i = 0; i < 3; ++i)
    rig.start(i);
  rig.append(0, {"events", 3});
  rig.append(stranger, {"events", 3});
  rig.run_for(seconds(200));
  CHECK(rig.store(member).events() == 3);
  CHECK(rig.store(0).events() == 3);
  CHECK(rig.store(stranger).events() == 3);
  CHECK(rig.not_admitted(0) + rig.not_admitted(member) >= 2);
  const auto& told = rig.node(stranger).notices;
  CHECK(std::any_of(told.begin(), told.end(), [](const mesh::Notice& notice) {
    return notice.kind == mesh::NoticeKind::kNotAdmitted &&
           notice.text.find("no certificate") != std::string::npos;
  }));
  CHECK(rig.engine(stranger).peers()[0].state == "refused");
}

TEST_CASE("by the mesh's secret an issuer certifies who asks, durable before it is told") {
  MemberRig rig;
  rig.admit_by_secret();
  const std::size_t late = rig.add_stranger({0});
  const std::size_t member = rig.add_member({0});
  rig.start(0);
  rig.start(member);
  rig.run_for(seconds(5));
  bool fails = true;
  rig.fails_authority = [&](std::size_t i) { return i == 0 && fails; };
  rig.append(0, {"events", 2});
  rig.start(late);
  rig.append(late, {"events", 4});
  rig.run_for(seconds(8));
  // Signed, and not stored: nobody has heard of it.
  CHECK(rig.standing(late) == trust::Standing::kUnknown);
  CHECK(rig.engine(0).counters().certificates_issued == 0);
  fails = false;
  rig.run_for(seconds(200));
  CHECK(rig.standing(late) == trust::Standing::kCertified);
  CHECK(rig.engine(0).counters().certificates_issued == 1);
  CHECK(rig.store(late).events() == 6);
  CHECK(rig.store(member).events() == 6);
  CHECK(rig.agree({0, late, member}));
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(rig.node(i).faults.empty());
  // Its certificate is in the stores: it goes on after a start.
  rig.stop(late);
  rig.start(late);
  rig.append(late, {"events", 1});
  rig.run_for(seconds(30));
  CHECK(rig.store(member).events() == 7);
}

TEST_CASE("who asks one without an issuer hears where there is one") {
  MemberRig rig;
  rig.admit_by_secret();
  const std::size_t member = rig.add_member({0});
  rig.start(0);
  rig.start(member);
  rig.run_for(seconds(5));
  const std::size_t late = rig.add_stranger({member});
  rig.node(late).membership->given = {rig.records.front()};
  rig.start(late);
  rig.run_for(seconds(200));
  CHECK(rig.standing(late) == trust::Standing::kCertified);
  CHECK(rig.engine(0).counters().certificates_issued == 1);
}

TEST_CASE("an issuer is told of, though its address did not answer when it was dialled last") {
  MemberRig rig;
  rig.admit_by_secret();
  const std::size_t member = rig.add_member({0});
  rig.node(0).config.peers = {rig.address(member)};
  rig.start(member);
  rig.run_for(seconds(3));  // nobody is there
  rig.start(0);
  rig.run_for(seconds(3));
  rig.node(0).config.peers = {};
  const std::size_t late = rig.add_stranger({member});
  rig.node(late).membership->given = {rig.records.front()};
  rig.start(late);
  rig.run_for(seconds(200));
  CHECK(rig.standing(late) == trust::Standing::kCertified);
}

TEST_CASE("more than an issuer signs in a second begin at once, and none of them rests") {
  MemberRig rig;
  rig.admit_by_secret();
  constexpr std::size_t kMany = 24;
  for (std::size_t i = 0; i < kMany; ++i) {
    const std::size_t late = rig.add_stranger({0});
    rig.node(late).membership->given = {rig.records.front()};
  }
  for (std::size_t i = 0; i <= kMany; ++i)
    rig.start(i);
  rig.run_for(seconds(10));
  CHECK(rig.engine(0).counters().certificates_issued == kMany);
  for (std::size_t i = 0; i <= kMany; ++i)
    CHECK(rig.not_admitted(i) == 0);
}

TEST_CASE("who was refused for want of a certificate is dialled again when it has one") {
  MemberRig rig;
  rig.admit_by_secret();
  const std::size_t early = rig.add_stranger({0});
  const std::size_t late = rig.add_stranger({0, early});
  for (const std::size_t i : {early, late})
    rig.node(i).membership->given = {rig.records.front()};
  bool alone = true;
  rig.parted = [&](std::size_t from, std::size_t to) {
    return from == early && (alone || to == late);
  };
  for (std::size_t i = 0; i < 3; ++i)
    rig.start(i);
  rig.run_for(seconds(3));
  CHECK(rig.standing(late) == trust::Standing::kCertified);
  CHECK(rig.standing(early) == trust::Standing::kUnknown);
  CHECK(rig.not_admitted(late) + rig.not_admitted(early) > 0);
  alone = false;
  rig.run_for(seconds(15));
  CHECK(rig.standing(early) == trust::Standing::kCertified);
  CHECK(rig.streams_between(early, late) == 1);
}

TEST_CASE("expired by 1 to 400 days it uploads its own events, is renewed, and is full again") {
  for (const std::int64_t ended : {1,   2,   5,   12,  19,  21,  30,  47,  63,  80,  90,  111,
                                   133, 155, 177, 199, 221, 250, 275, 300, 333, 365, 399, 400}) {
    CAPTURE(ended);
    MemberRig rig(1000);  // days: its certificate, too, is of a mesh that was there
    const std::size_t member = rig.add_member({0});
    const std::size_t old = rig.add_member({0, member}, {kAllRoles, {""}, -ended - 80, -ended});
    for (std::size_t i = 0; i < 3; ++i)
      rig.start(i);
    rig.append(old, {"events", 4});
    rig.append(member, {"events", 2});
    rig.run_for(seconds(120));
    CHECK(rig.standing(old) == trust::Standing::kCertified);
    CHECK(rig.engine(0).counters().certificates_issued == 1);
    CHECK(rig.store(0).events() == 6);
    CHECK(rig.store(old).events() == 6);
    CHECK(rig.store(member).events() == 6);
    for (std::size_t i = 0; i < 3; ++i)
      CHECK(rig.node(i).faults.empty());
  }
}

TEST_CASE("expired, and no issuer near: its own events go up, nothing comes down") {
  MemberRig rig;
  const std::size_t member = rig.add_member();
  const std::size_t old = rig.add_member({member}, {kAllRoles, {""}, -90, -2});
  rig.start(member);
  rig.start(old);
  rig.append(old, {"events", 4});
  rig.append(member, {"events", 2});
  rig.run_for(seconds(60));
  rig.append(old, {"events", 1});
  rig.append(member, {"other", 1});
  rig.run_for(seconds(120));
  CHECK(rig.standing(old) == trust::Standing::kExpired);
  CHECK(rig.store(member).events() == 8);
  CHECK(rig.store(old).events() == 5);
  REQUIRE(rig.engine(member).links().size() == 1);
  CHECK(rig.engine(member).links()[0].access == "restricted");
  CHECK(rig.engine(old).links()[0].access_there == "restricted");
  CHECK(rig.node(member).faults.empty());
  CHECK(rig.node(old).faults.empty());
}

TEST_CASE("an expired device is told no address of a member, and none is taken from it") {
  MemberRig rig;
  const std::size_t member = rig.add_member();
  const std::size_t other = rig.add_member({member});
  const std::size_t old = rig.add_member({member}, {kAllRoles, {""}, -90, -2});
  const std::size_t third = rig.add_member({member});
  for (const std::size_t i : {member, other, old, third})
    rig.start(i);
  rig.run_for(seconds(300));
  CHECK(rig.engine(old).links().size() == 1);
  CHECK(rig.engine(old).peers().size() == 1);
  // Nor is it told any that it would leave out.
  const auto& heard = rig.engine(old).counters().messages;
  CHECK((!heard.contains("peers") || heard.at("peers").messages_in == 0));
  const auto knows = [&rig](std::size_t i, std::size_t whom) {
    const DeviceId device = rig.store(whom).device();
    const std::vector<mesh::KnownPeer> peers = rig.engine(i).peers();
    return std::any_of(peers.begin(), peers.end(),
                       [&device](const mesh::KnownPeer& peer) { return peer.device == device; });
  };
  CHECK(knows(other, third));
  CHECK_FALSE(knows(other, old));
}

TEST_CASE("news of authorities reach every node, and a revoked device loses its links") {
  MemberRig rig;
  const std::size_t member = rig.add_member({0});
  const std::size_t thief = rig.add_member({0, member});
  for (std::size_t i = 0; i < 3; ++i)
    rig.start(i);
  rig.run_for(seconds(5));
  REQUIRE(is_linked(rig, member, thief));
  rig.stop(0);
  rig.node(0).membership->given = {rig.write(trust::record::Revoke{rig.store(thief).device(), {}})};
  rig.start(0);
  rig.run_for(seconds(60));
  CHECK_FALSE(is_linked(rig, 0, thief));
  CHECK_FALSE(is_linked(rig, member, thief));
  rig.append(thief, {"events", 1});
  rig.append(member, {"events", 1});
  rig.run_for(seconds(120));
  CHECK(rig.store(0).events() == 1);
  CHECK(rig.store(member).events() == 1);
  CHECK(rig.store(thief).events() == 1);
}

TEST_CASE("a certificate that is due is renewed on a link that stands") {
  MemberRig rig;
  const std::size_t member = rig.add_member({0}, {kAllRoles, {"a", "b"}, -80, 10});
  rig.start(0);
  rig.start(member);
  rig.run_for(seconds(5));
  const mesh::MembershipStatus status = rig.engine(member).membership();
  CHECK(status.standing == trust::Standing::kCertified);
  CHECK_FALSE(status.renewal_due);
  REQUIRE(status.certificate);
  CHECK(status.certificate->prefixes == std::vector<std::string>{"a", "b"});
  // As long as the one before.
  CHECK(status.certificate->validity.not_after.ms > rig.wall().ms + 88 * kDayMs);
  CHECK(status.certificate->validity.not_after.ms < rig.wall().ms + 91 * kDayMs);
  CHECK(rig.engine(0).counters().certificates_issued == 1);
}

TEST_CASE("a certificate for another link key gives a restricted link until it is renewed") {
  MemberRig rig;
  const std::size_t member = rig.add_member({0}, {kAllRoles, {""}, -10, 300, 0x99});
  rig.start(0);
  rig.start(member);
  rig.append(0, {"events", 1});
  rig.run_for(seconds(10));
  CHECK(rig.engine(0).counters().certificates_issued == 1);
  CHECK(rig.engine(member).membership().certificate->link_key ==
        rig_link_key(rig.store(member).device()));
  CHECK(rig.store(member).events() == 1);
}

}  // namespace
}  // namespace ebb::tests
