// A device whose certificate is due, and that gets none on its links, goes to an issuer.
#include "mesh/issuer_dial.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/mesh/member_rig.h"

namespace ebb::tests {
namespace {

constexpr Duration kHour = seconds(3600);
constexpr Duration kNever = seconds(1000000000);
const MemberRig::Terms kDue{kAllRoles, {""}, -300, 50};
const MemberRig::Terms kIssuerToo{kAllRoles | trust::roles::kIssuer, {""}};
// Of a wire, so that it is told to nobody, who would name it to who asks.
const std::string kOnTheWire = "[fe80::1%eth0]:7000";
const std::string kThere = "[fe80::2%eth0]:7000";

// A device that has links enough to others, and reaches one more that is an issuer by its
// certificate. The others reach the device alone, the issuer nobody. Nobody gossips: that alone
// would bring the two together some day.
struct Apart : MemberRig {
  void begin() {
    while (others.size() < limits::kOverlayLinks)
      others.push_back(add_member());
    for (const std::size_t other : others)
      node(device).config.peers.push_back(address(other));
    parted = [this](std::size_t from, std::size_t to) {
      if (from == device && to == issuer) dialled.push_back(now());
      return from == device ? to == issuer && refuses : to != device || from == issuer;
    };
    datagrams = false;
    for (std::size_t i = 0; i < size(); ++i) {
      node(i).config.gossip_interval = kNever;
      node(i).config.gossip_interval_lonely = kNever;
      start(i);
    }
    run_for(seconds(30));
    REQUIRE(engine(device).links().size() == limits::kOverlayLinks);
    REQUIRE(dialled.empty());
  }

  // As a commit would tell it.
  void tell_presence() {
    mesh::HeldPresence held;
    held.device = store(issuer).device();
    held.said.addresses = {address(issuer)};
    mesh::Committed committed;
    committed.presences = {held};
    input(device, std::move(committed));
  }
  bool knows_issuer() {
    const auto peers = engine(device).peers();
    return std::any_of(peers.begin(), peers.end(), [this](const mesh::KnownPeer& peer) {
      return peer.device == store(issuer).device();
    });
  }
  bool is_due() { return engine(device).membership().renewal_due; }

  std::size_t device = 0, issuer = 0;
  std::vector<std::size_t> others;  // made up to links enough
  bool refuses = false;
  std::vector<Instant> dialled;
};

// The device is a member like any other, and the issuer is the one of the rig.
struct Member : Apart {
  explicit Member(const Terms& terms = kDue) { device = add_member({}, terms); }
};

// Not at once, and within 70 minutes of being due.
void expect_one_dial(Apart& rig) {
  rig.run_for(seconds(560));
  CHECK(rig.knows_issuer());
  CHECK(rig.is_due());
  CHECK(rig.dialled.empty());
  rig.run_for(kHour + seconds(70));
  CHECK_FALSE(rig.is_due());
  CHECK(rig.dialled.size() == 1);
}

TEST_CASE("who is due and knows an issuer by its presence alone goes to it within 70 minutes") {
  Member rig;
  rig.begin();
  rig.tell_presence();
  expect_one_dial(rig);
  CHECK(rig.engine(0).counters().certificates_issued == 1);
  for (std::size_t i = 0; i < rig.size(); ++i)
    CHECK(rig.node(i).faults.empty());
}

TEST_CASE("who is due goes to where an issuer has been before") {
  Member rig;
  rig.aliases[kOnTheWire] = 0;
  rig.node(rig.device).seen = {{rig.store(0).device(), kOnTheWire, rig.wall()}};
  rig.begin();
  expect_one_dial(rig);
}

TEST_CASE("where an issuer has been before and is no more, its presence is tried in turn") {
  Member rig;
  rig.node(rig.device).seen = {{rig.store(0).device(), kOnTheWire, rig.wall()}};
  rig.begin();
  rig.tell_presence();
  rig.run_for(kHour * 8);
  CHECK_FALSE(rig.is_due());
  CHECK(rig.dialled.size() == 1);
}

TEST_CASE("an address of an issuer that others told hides none that it tells itself") {
  for (const bool is_address_wrong : {true, false}) {
    CAPTURE(is_address_wrong);
    Member rig;
    rig.node(rig.device).seen = {{rig.store(0).device(), "10.9.9.9:1", {}}};
    if (!is_address_wrong) {
      const DeviceId nobody = FakeStore(250).device();
      rig.node(rig.device).seen = {{nobody, rig.address(0), {}}};
    }
    rig.begin();
    rig.tell_presence();
    rig.run_for(kHour * 8);
    CHECK_FALSE(rig.is_due());
    CHECK(rig.dialled.size() == 1);
  }
}

TEST_CASE("an issuer that answers and does not certify hides no other that has failed once") {
  Member rig;
  const std::size_t refusing = rig.add_member({}, kIssuerToo);
  rig.aliases[kOnTheWire] = 0;
  rig.aliases[kThere] = refusing;
  rig.node(rig.device).seen = {{rig.store(0).device(), kOnTheWire, rig.wall()},
                               {rig.store(refusing).device(), kThere, rig.wall()}};
  rig.refuses = true;
  rig.begin();
  const std::uint64_t before = rig.engine(rig.device).counters().dials;
  for (int i = 0; i < 24 && rig.dialled.empty(); ++i)
    rig.run_for(kHour);
  rig.refuses = false;
  REQUIRE(rig.dialled.size() == 1);
  rig.run_for(kHour * 12);
  CHECK(rig.engine(rig.device).counters().dials > before + 2);
  CHECK_FALSE(rig.is_due());
  CHECK(rig.dialled.size() == 2);
}

TEST_CASE("who thinks that its certificate lasts, and is not believed, goes to an issuer") {
  for (const bool is_believed : {false, true}) {
    CAPTURE(is_believed);
    Member rig({kAllRoles, {""}, -95, is_believed ? 290 : -1});
    rig.node(rig.device).wall_off_ms = -90 * kDayMs;
    // No two clocks agree, so nobody knows the time.
    for (std::int64_t days = 3; rig.others.size() < limits::kOverlayLinks; days += 3) {
      rig.others.push_back(rig.add_member());
      rig.node(rig.others.back()).wall_off_ms = days * kDayMs;
    }
    rig.begin();
    rig.tell_presence();
    rig.run_for(seconds(500));
    REQUIRE_FALSE(rig.is_due());
    REQUIRE(rig.standing(rig.device) == trust::Standing::kCertified);
    rig.run_for(kHour * 2);
    CHECK(rig.dialled.empty() == is_believed);
    CHECK(rig.engine(0).counters().certificates_issued == (is_believed ? 0 : 1));
  }
}

TEST_CASE("who is not due dials no issuer beyond the links that it wants") {
  Member rig({kAllRoles, {""}});
  rig.begin();
  rig.tell_presence();
  CHECK(rig.knows_issuer());
  rig.run_for(kHour * 3);
  CHECK(rig.dialled.empty());
}

TEST_CASE("an issuer that is away is dialled about once an hour, and found when it is back") {
  for (const bool by_presence : {true, false}) {
    CAPTURE(by_presence);
    Member rig;
    rig.refuses = true;
    rig.aliases[kOnTheWire] = 0;
    if (!by_presence) {
      rig.node(rig.device).seen = {{rig.store(0).device(), kOnTheWire, rig.wall()}};
    }
    rig.begin();
    if (by_presence) rig.tell_presence();
    rig.run_for(kHour * 8);
    CHECK(rig.dialled.size() >= 5);
    for (std::size_t i = 1; i < rig.dialled.size(); ++i) {
      CHECK(rig.dialled[i] - rig.dialled[i - 1] > seconds(1500));
      CHECK(rig.dialled[i] - rig.dialled[i - 1] < seconds(5800));
    }
    CHECK(rig.is_due());
    rig.refuses = false;
    rig.run_for(kHour * 2);
    CHECK_FALSE(rig.is_due());
  }
}

TEST_CASE("who is linked with an issuer that refuses, or cannot sign, goes to another") {
  for (const bool refuses : {false, true}) {
    CAPTURE(refuses);
    Member rig;
    const std::size_t far =
        refuses ? rig.add_member({}, kIssuerToo) : rig.add_issuer({}, kIssuerToo);
    // The near one has a key and cannot write, or has none.
    const std::size_t near = refuses ? far : 0;
    rig.issuer = refuses ? 0 : far;
    rig.others.push_back(near);
    rig.fails_authority = [refuses](std::size_t i) { return i == 0 && !refuses; };
    rig.begin();
    rig.tell_presence();
    rig.run_for(kHour * 4);
    CHECK(rig.dialled.size() == 1);
    CHECK_FALSE(rig.is_due());
  }
}

TEST_CASE("who is linked with as many that refuse as are dialled in a hurry goes to another") {
  Member rig;
  for (std::size_t i = 0; i < limits::kUrgentDials; ++i)
    rig.others.push_back(rig.add_member({}, kIssuerToo));
  rig.begin();
  rig.tell_presence();
  rig.run_for(kHour * 2);
  CHECK(rig.dialled.size() == 1);
  CHECK_FALSE(rig.is_due());
}

TEST_CASE("an address that is told behind a refusal is not that of an issuer") {
  Member rig;
  const std::size_t news = rig.add_member();
  rig.begin();
  CHECK(rig.engine(rig.device).membership().last_refusal == "no issuer here");
  const std::uint64_t dials = rig.engine(rig.device).counters().dials;
  rig.parted = nullptr;
  rig.input(rig.others[0], mesh::AddPeer{rig.address(news)});
  rig.run_for(seconds(300));
  REQUIRE(rig.streams_between(rig.others[0], news) == 1);
  CHECK(rig.engine(rig.device).peers().size() > limits::kOverlayLinks);
  CHECK(rig.engine(rig.device).counters().dials == dials);
}

TEST_CASE("an issuer that may not sign now goes to another") {
  Apart rig;
  rig.device = rig.add_issuer({}, {kIssuerToo.roles, {""}, -300, 50});
  rig.node(rig.device).membership->set_back = true;
  rig.node(rig.device).membership->signed_to = Position{3, {}};  // nobody has it
  rig.begin();
  rig.tell_presence();
  REQUIRE(rig.engine(rig.device).membership().waits_for_member);
  expect_one_dial(rig);
}

TEST_CASE("an issuer dials no other, for it renews itself") {
  Apart rig;
  rig.certify(0, {kIssuerToo.roles, {""}, -9, 4});  // newer than its first
  rig.issuer = rig.add_member({}, kIssuerToo);
  rig.fails_authority = [](std::size_t i) { return i == 0; };
  rig.begin();
  rig.tell_presence();
  rig.run_for(kHour * 3);
  CHECK(rig.is_due());
  CHECK(rig.dialled.empty());
}

}  // namespace
}  // namespace ebb::tests
