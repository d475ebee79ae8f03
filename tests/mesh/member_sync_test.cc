// Links to which certificates leave less than everything: what is compared and told there is in
// sync when it is all there, and no cursor says that it was everything.
#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "tests/mesh/raw_member.h"

namespace ebb::tests {
namespace {

constexpr Duration kNever = seconds(1000000000);
const MemberRig::Terms kNoRelay{trust::roles::kReader | trust::roles::kWriter, {""}};
const MemberRig::Terms kNoReader{trust::roles::kWriter | trust::roles::kRelay, {""}};
const MemberRig::Terms kExpired{kAllRoles, {""}, -90, -2};

// A member, and a device that dials it and is less than that. Its own events and control logs may
// go both ways, whatever it is less.
struct Pair : MemberRig {
  explicit Pair(const Terms& terms) : member(add_member()), limited(add_member({member}, terms)) {
    expired = terms.to_days < 0;
    append(limited, {"events", 3});
    append(member, {"_ebb", 1});
    append(member, {"events", 2});
  }
  void begin() {
    start(member);
    start(limited);
    run_for(seconds(2));
  }
  bool ended_as(std::size_t i, std::string_view outcome) {
    return !node(i).rows.empty() && node(i).rows.back().outcome == outcome;
  }
  bool shows(std::size_t i, std::string_view state) {
    const auto links = engine(i).links();
    return links.size() == 1 && links[0].state == state;
  }
  bool has_no_cursor() {
    return store(member).cursors().empty() && store(limited).cursors().empty();
  }

  std::size_t member, limited;
  bool expired = false;
};

TEST_CASE("who is no relay, no reader or expired is in sync with a member at once") {
  for (const MemberRig::Terms& terms : {kNoRelay, kNoReader, kExpired}) {
    CAPTURE(terms.roles);
    CAPTURE(terms.to_days);
    Pair rig(terms);
    for (int round = 0; round < 2; ++round) {
      CAPTURE(round);
      rig.begin();
      const std::uint64_t own = round == 0 ? 3 : 5;
      const std::uint64_t given = terms.roles == kNoRelay.roles ? 3 : 1;
      CHECK(rig.store(rig.member).events() == own + 3);
      CHECK(rig.store(rig.limited).events() == own + (rig.expired ? 0 : given));
      for (const std::size_t i : {rig.member, rig.limited}) {
        CAPTURE(i);
        CHECK(rig.ended_as(i, "in_sync"));
        CHECK(rig.shows(i, "in_sync"));
        CHECK(rig.engine(i).counters().reconciliations_left_out == 0);
      }
      const bool relays = terms.roles == kNoReader.roles;
      CHECK(rig.engine(rig.member).links()[0].relay == relays);
      CHECK(rig.engine(rig.member).links()[0].may_relay == relays);
      CHECK(rig.engine(rig.limited).links()[0].may_relay);
      CHECK(rig.has_no_cursor());
      // Nor does one while the link is live.
      rig.append(rig.limited, {"events", 1});
      rig.run_for(seconds(120));
      CHECK(rig.has_no_cursor());
      CHECK(rig.store(rig.member).events() == own + 4);
      rig.stop(rig.limited);
      rig.stop(rig.member);
      rig.append(rig.limited, {"events", 1});
    }
  }
}

TEST_CASE("what such a device cannot read is missing at the member, until an audit mends it") {
  for (const MemberRig::Terms& terms : {kNoRelay, kNoReader, kExpired}) {
    CAPTURE(terms.roles);
    CAPTURE(terms.to_days);
    Pair rig(terms);
    rig.store(rig.limited).failing_reads = true;
    rig.begin();
    CHECK(rig.store(rig.member).events() == 3);
    CHECK(rig.ended_as(rig.member, "left_out"));
    CHECK(rig.shows(rig.member, "incomplete"));
    rig.store(rig.limited).failing_reads = false;
    rig.run_for(seconds(80));
    CHECK(rig.store(rig.member).events() == 6);
    rig.run_for(seconds(120));
    CHECK(rig.shows(rig.member, "in_sync"));
    CHECK(rig.has_no_cursor());
  }
}

TEST_CASE("what a device lists of others that may not relay them is not waited for") {
  for (const MemberRig::Terms& terms : {kNoRelay, MemberRig::Terms{}}) {
    const bool relays = terms.roles == kAllRoles;
    CAPTURE(relays);
    MemberRig rig;
    const std::size_t author = rig.add_member({0});
    const DeviceId lister = rig.store(rig.add_member({}, terms)).device();
    rig.start(0);
    rig.start(author);
    rig.append(author, {"events", 2});
    rig.run_for(seconds(5));
    REQUIRE(rig.store(0).events() == 2);
    RawMember raw(rig, lister);
    raw.connect();
    raw.send(codec::AuthRecords{});
    raw.send(codec::AuthGrant{codec::GrantedAccess::kFull, kAllRoles, ""});
    codec::Hello hello;
    hello.mesh = trust::mesh_id(rig.genesis);
    hello.reconciliation.data[15] = 9;
    hello.root.data[0] = 1;
    hello.count = 1;
    raw.send(hello);
    raw.send(codec::YourLogsSummary{});
    REQUIRE(raw.take<codec::SyncListReq>());
    raw.forget_received();
    raw.send(codec::SyncList{{{rig.store(author).own_log("events"), 9, {}}}, false, 0});
    rig.run_for(seconds(1));
    CHECK(raw.take<codec::Want>().has_value() == relays);
    const auto& links = rig.engine(0).links();
    const auto link = std::find_if(links.begin(), links.end(), [&](const mesh::LinkStatus& each) {
      return each.peer == lister;
    });
    REQUIRE(link != links.end());
    CHECK((link->missing_here > 0) == relays);
    CHECK(rig.node(0).faults.empty());
  }
}

// The issuer gives the device this and nothing else.
void give_roles(MemberRig& rig, std::size_t device, std::uint64_t roles) {
  mesh::IssueWanted wanted{{1}, rig.store(device).device()};
  wanted.roles = roles;
  rig.input(0, std::move(wanted));
  rig.run_for(seconds(20));
  REQUIRE(rig.node(0).issued.size() == 1);
  REQUIRE(rig.node(0).issued[0].record.ok());
}

TEST_CASE("what a link in sync might not carry comes when a role allows it: to a reader") {
  MemberRig rig;
  const std::size_t deaf = rig.add_member({0}, kNoReader);
  rig.append(0, {"events", 2});
  rig.append(0, {"_ebb", 1});
  rig.start(0);
  rig.start(deaf);
  rig.append(0, {"events", 2});
  rig.append(0, {"_ebb", 1});
  rig.run_for(seconds(40));
  REQUIRE(rig.store(deaf).events() == 2);
  REQUIRE(rig.node(deaf).rows.back().outcome == "in_sync");
  rig.append(deaf, {"events", 1});
  give_roles(rig, deaf, kAllRoles);
  CHECK(rig.store(deaf).events() == 7);
}

TEST_CASE("what a link in sync might not carry comes when a role allows it: by a relay") {
  MemberRig rig;
  const std::size_t source = rig.add_member();
  const std::size_t middle = rig.add_member({source, 0}, kNoRelay);
  rig.parted = [&](std::size_t from, std::size_t to) {
    return from != middle && (from == source || to == source);
  };
  rig.append(source, {"events", 3});
  rig.append(middle, {"events", 1});
  rig.append(0, {"_ebb", 1});
  rig.start(source);
  rig.start(middle);
  rig.run_for(seconds(5));
  REQUIRE(rig.store(middle).events() == 4);
  rig.start(0);
  rig.run_for(seconds(40));
  REQUIRE(rig.store(middle).events() == 5);
  REQUIRE(rig.store(0).events() == 2);
  REQUIRE(rig.node(0).rows.back().outcome == "in_sync");
  rig.append(0, {"events", 1});
  give_roles(rig, middle, kAllRoles);
  CHECK(rig.store(0).events() == 6);
}

// Node 0 has links enough to others, and a device that is less than a member to others again. The
// two know each other, and speak by datagrams.
struct Apart : MemberRig {
  explicit Apart(const Terms& terms) : limited(add_member({}, terms)) {
    node(limited).config.dial_backoff_min = kNever;
    node(limited).config.dial_backoff_max = kNever;
    node(0).seen = {{store(limited).device(), address(limited), wall()}};
    for (std::size_t i = 0; i < limits::kOverlayLinks + limits::kOverlayMin; ++i) {
      const std::size_t of = i < limits::kOverlayLinks ? 0 : limited;
      ends[add_member()] = of;
      node(of).config.peers.push_back(address(size() - 1));
    }
    parted = [this](std::size_t from, std::size_t to) {
      const auto [low, high] = std::minmax(from, to);
      if (low == 0 && high == limited) return !met;
      return !ends.contains(high) || ends[high] != low;
    };
    for (std::size_t i = 0; i < size(); ++i) {
      if (i != 0) node(i).config.gossip_interval = kNever;
      if (i != 0) node(i).config.gossip_interval_lonely = kNever;
      start(i);
    }
    run_for(seconds(5));
    REQUIRE(engine(0).links().size() == limits::kOverlayLinks);
    REQUIRE(engine(limited).links().size() == limits::kOverlayMin);
    met = true;
  }
  // How often the two have had a link.
  std::size_t links_between() {
    const auto& notices = node(0).notices;
    return static_cast<std::size_t>(
        std::count_if(notices.begin(), notices.end(), [this](const mesh::Notice& notice) {
          return notice.kind == mesh::NoticeKind::kLinkEstablished &&
                 notice.peer == store(limited).device();
        }));
  }

  std::size_t limited;
  bool met = false;
  std::map<std::size_t, std::size_t> ends;  // of links, and whose
};

TEST_CASE("who reads nothing is not dialled again and again for what others write") {
  Apart rig(kNoReader);
  for (int i = 0; i < 40; ++i) {
    rig.append(0, {"events", 1});
    rig.run_for(seconds(90));
  }
  CHECK(rig.engine(0).counters().gossip.at("different") > 10);
  CHECK(rig.links_between() >= 2);
  CHECK(rig.links_between() <= 10);
  CHECK(rig.store(rig.limited).events() == 0);
  // Nor is it forgotten for that.
  rig.append(0, {"_ebb", 1});
  rig.append(rig.limited, {"events", 1});
  rig.run_for(seconds(120));
  CHECK(rig.store(rig.limited).events() == 2);
  CHECK(rig.store(0).events() == 42);
}

TEST_CASE("who is no relay is not dialled again and again for what it may not bring") {
  Apart rig(kNoRelay);
  const auto end = std::find_if(rig.ends.begin(), rig.ends.end(), [&rig](const auto& each) {
                     return each.second == rig.limited;
                   })->first;
  for (int i = 0; i < 40; ++i) {
    rig.append(end, {"events", 1});
    rig.append(0, {"events", 1});
    rig.run_for(seconds(90));
  }
  CHECK(rig.store(rig.limited).events() == 80);
  CHECK(rig.store(0).events() == 40);
  CHECK(rig.engine(0).counters().gossip.at("different") > 10);
  CHECK(rig.links_between() >= 2);
  CHECK(rig.links_between() <= 10);
  rig.append(rig.limited, {"events", 1});
  rig.run_for(seconds(120));
  CHECK(rig.store(0).events() == 41);
}

}  // namespace
}  // namespace ebb::tests
