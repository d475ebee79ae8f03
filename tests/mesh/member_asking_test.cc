// Who asks for certificates, and what may be answered.
#include <doctest/doctest.h>

#include "mesh/membership.h"
#include "tests/mesh/raw_member.h"

namespace ebb::tests {
namespace {

struct Asked {
  Asked() : device(rig.store(rig.add_member()).device()) { rig.start(0); }
  std::size_t faults() { return rig.node(0).faults.size(); }
  MemberRig rig;
  DeviceId device;
};

TEST_CASE("a refusal that nobody asked for is a fault, and moves nothing") {
  Asked asked;
  RawMember raw(asked.rig, asked.device);
  raw.connect();
  raw.become_member();
  raw.send(codec::AuthRefused{codec::AuthRefusal::kLater, "later"});
  CHECK(asked.faults() == 1);
  CHECK(asked.rig.engine(0).membership().last_refusal.empty());
}

TEST_CASE("addresses before HELLO are taken of nobody who was not asked") {
  Asked asked;
  RawMember raw(asked.rig, asked.device);
  raw.connect();
  codec::Peers peers;
  peers.peers.push_back({asked.device, "10.1.1.1:1"});
  const std::size_t known = asked.rig.engine(0).peers().size();
  raw.send(peers);
  CHECK(asked.faults() == 1);
  CHECK(asked.rig.engine(0).peers().size() == known);
}

TEST_CASE("who is asked may name issuers once, and what it says of itself is hearsay") {
  MemberRig rig;
  rig.admit_by_secret();
  const DeviceId sponsor = rig.store(rig.add_member()).device();
  const std::size_t late = rig.add_stranger();
  rig.node(late).membership->given = {rig.records.front()};
  rig.start(late);
  RawMember raw(rig, sponsor, late);
  raw.connect();
  codec::AuthRecords records;
  for (const Bytes& record : rig.records)
    records.records.push_back(record);
  raw.send(records);
  raw.send(codec::AuthGrant{codec::GrantedAccess::kRecords, 0, "no certificate"});
  REQUIRE(raw.take<codec::AuthAsk>());
  codec::Peers peers;
  peers.peers.push_back({sponsor, "10.1.1.1:1"});
  raw.send(peers);
  CHECK(rig.node(late).faults.empty());
  CHECK(rig.engine(late).peers().size() == 1);
  raw.send(peers);
  CHECK(rig.node(late).faults.size() == 1);
}

TEST_CASE("who has a certificate takes no device for an issuer that the records do not name") {
  MemberRig rig;
  const DeviceId asked = rig.store(rig.add_member()).device();
  const DeviceId other = rig.store(rig.add_member()).device();
  const std::size_t due = rig.add_member({}, {kAllRoles, {""}, -90, 1});
  rig.start(due);
  RawMember raw(rig, asked, due);
  raw.connect();
  raw.send(codec::AuthRecords{});
  raw.send(codec::AuthGrant{codec::GrantedAccess::kFull, kAllRoles, ""});
  REQUIRE(raw.take<codec::AuthAsk>());
  codec::Peers peers;
  peers.peers.push_back({other, "10.1.1.1:1"});
  peers.peers.push_back({rig.store(0).device(), "10.1.1.2:1"});
  raw.send(peers);
  CHECK(rig.node(due).faults.empty());
  REQUIRE(rig.engine(due).peers().size() == 1);
  CHECK(rig.engine(due).peers()[0].address == "10.1.1.2:1");
}

TEST_CASE("a question before its answer could be known is a fault; too many are not heard") {
  Asked asked;
  {
    RawMember raw(asked.rig, asked.device);
    raw.connect();
    raw.send(codec::AuthAsk{"label"});
    CHECK(asked.faults() == 1);
  }
  RawMember raw(asked.rig, asked.device);
  raw.connect();
  raw.become_member();
  raw.forget_received();
  for (int i = 0; i < 50; ++i)
    raw.send(codec::AuthAsk{"label"});
  CHECK(raw.take<codec::AuthRefused>());
  CHECK_FALSE(raw.take<codec::AuthRefused>());
  CHECK(asked.faults() == 1);
}

TEST_CASE("an issuer that was set back signs nothing before what it has told is there again") {
  for (const bool is_known : {true, false}) {
    CAPTURE(is_known);
    MemberRig rig;
    const std::size_t behind = rig.add_member({0});
    const std::size_t ahead = rig.add_member({0});
    const std::vector<Bytes> before = rig.records;
    const auto last = trust::read_authority_record(
        rig.node(0).config.mesh, rig.write(trust::record::Policy{1, trust::Admit::kSecret}));
    rig.node(ahead).membership->given = rig.records;
    rig.node(behind).membership->given = before;
    rig.node(0).membership->given = before;
    rig.node(0).membership->set_back = true;
    if (is_known) rig.node(0).membership->signed_to = last->record.position();
    rig.start(0);
    rig.start(behind);
    const auto want = [&](std::uint64_t token) {
      rig.input(0, mesh::PolicyWanted{{token}, trust::Admit::kInvite});
      rig.run_for(seconds(2));
    };
    rig.run_for(seconds(5));
    CHECK(rig.engine(0).membership().waits_for_member == is_known);
    if (is_known) want(1);
    CHECK(rig.engine(0).membership().admit == trust::Admit::kInvite);
    rig.start(ahead);
    rig.run_for(seconds(10));
    CHECK_FALSE(rig.engine(0).membership().waits_for_member);
    CHECK(rig.engine(0).membership().admit == trust::Admit::kSecret);
    want(2);
    CHECK(rig.engine(0).membership().admit == trust::Admit::kInvite);
    CHECK(rig.agree({0, behind, ahead}));
    CHECK(rig.engine(ahead).membership().is_issuer == false);
  }
}

TEST_CASE("a member that tells nothing of what it holds is no witness of what was signed") {
  MemberRig rig;
  const DeviceId device = rig.store(rig.add_member()).device();
  rig.node(0).membership->set_back = true;
  rig.start(0);
  RawMember raw(rig, device);
  raw.connect();
  raw.send(codec::AuthRecords{});
  raw.send(codec::AuthGrant{codec::GrantedAccess::kRecords, 0, "revoked"});
  CHECK(rig.engine(0).membership().waits_for_member);
  raw.send(codec::AuthGrant{codec::GrantedAccess::kFull, kAllRoles, ""});
  CHECK_FALSE(rig.engine(0).membership().waits_for_member);
}

TEST_CASE("who asks again while it is being signed gets one certificate, and no refusal") {
  MemberRig rig;
  rig.admit_by_secret();
  const std::size_t late = rig.add_stranger();
  const DeviceId device = rig.store(late).device();
  bool fails = true;
  rig.fails_authority = [&](std::size_t i) { return i == 0 && fails; };
  rig.start(0);
  RawMember raw(rig, device);
  const auto ask = [&] {
    raw.connect();
    raw.send(codec::AuthRecords{});
    raw.send(codec::AuthAsk{"label"});
    rig.run_for(seconds(1));
    raw.send(codec::AuthAsk{"label"});
    rig.run_for(seconds(1));
  };
  for (int i = 0; i < 3; ++i)
    ask();
  CHECK(rig.node(0).faults.empty());
  raw.forget_received();
  fails = false;
  rig.run_for(seconds(200));
  CHECK(rig.engine(0).counters().certificates_issued == 1);
}

TEST_CASE("of one device four certificates a day are signed that it asks for") {
  MemberRig rig;
  mesh::MembershipConfig config;
  config.genesis = rig.genesis;
  trust::SignatureCheck signatures;
  mesh::Membership membership(std::move(config), rig.node(0).config.mesh, rig.store(0).device(),
                              signatures);
  DeviceId one, other;
  other.data[0] = 1;
  const Instant start{1000000};
  for (std::size_t i = 0; i < limits::kCertificatesPerDeviceDay; ++i) {
    CHECK_FALSE(membership.was_certified_often(one, start));
    membership.note_certified(one, start);
  }
  CHECK(membership.was_certified_often(one, start + seconds(86399)));
  CHECK_FALSE(membership.was_certified_often(other, start));
  CHECK_FALSE(membership.was_certified_often(one, start + seconds(86400)));
  membership.note_certified(one, start + seconds(86400));
  CHECK_FALSE(membership.was_certified_often(one, start + seconds(86401)));
}

}  // namespace
}  // namespace ebb::tests
