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
