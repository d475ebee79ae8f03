// Who has keys for datagrams: devices that are full members to each other, and nobody else.
#include <doctest/doctest.h>

#include "tests/mesh/raw_member.h"

namespace ebb::tests {
namespace {

TEST_CASE("a certificate for another link key gives a link, and no keys for datagrams") {
  MemberRig rig;
  const std::size_t other = rig.add_member({0}, {kAllRoles, {""}, -10, 300, 0x99});
  const std::size_t member = rig.add_member({0});
  rig.node(0).membership->issuer = nullptr;
  for (std::size_t i = 0; i < 3; ++i)
    rig.start(i);
  rig.run_for(seconds(10));
  REQUIRE_FALSE(rig.engine(other).links().empty());
  for (const mesh::LinkStatus& link : rig.engine(other).links())
    REQUIRE(link.access_there == "restricted");
  CHECK(rig.engine(other).datagram_sessions() == 0);
  CHECK(rig.engine(member).datagram_sessions() == 1);
  CHECK(rig.engine(0).datagram_sessions() == 1);
}

TEST_CASE("whoever is revoked loses the keys for datagrams with the link") {
  MemberRig rig;
  const DeviceId thief = rig.store(rig.add_member()).device();
  const DeviceId bringer = rig.store(rig.add_member()).device();
  rig.start(0);
  {
    RawMember raw(rig, thief);
    raw.connect({77, {}, {}});
    raw.become_member();
  }
  REQUIRE(rig.engine(0).links().size() == 1);
  REQUIRE(rig.engine(0).datagram_sessions() == 1);
  const Bytes revoke = rig.write(trust::record::Revoke{thief, {}});
  RawMember raw(rig, bringer);
  raw.connect();
  codec::AuthRecords records;
  records.records = {revoke};
  raw.send(records);
  CHECK(rig.engine(0).datagram_sessions() == 0);
}

}  // namespace
}  // namespace ebb::tests
