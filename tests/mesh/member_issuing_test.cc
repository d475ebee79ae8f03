// What an issuer signs, for whom and how often.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "mesh/membership.h"
#include "mesh/unkept.h"
#include "tests/codec/allocation_peak.h"
#include "tests/mesh/keyed_channel.h"
#include "tests/mesh/raw_member.h"

namespace ebb::tests {
namespace {

trust::LinkKey link_key_of(std::uint8_t number) {
  trust::LinkKey key;
  key.data.fill(number);
  return key;
}

bool was_told(const Rig::Node& node, std::string_view text) {
  return std::any_of(node.notices.begin(), node.notices.end(), [text](const mesh::Notice& notice) {
    return notice.text.find(text) != std::string::npos;
  });
}

mesh::IssueWanted by_hand(std::uint64_t token, const DeviceId& device) {
  mesh::IssueWanted wanted;
  wanted.token = {token};
  wanted.device = device;
  wanted.link_key = rig_link_key(device);
  wanted.label = "by hand";
  return wanted;
}

trust::Certificate certificate_in(const MemberRig& rig, const Bytes& encoded) {
  const MeshId mesh = trust::mesh_id(rig.genesis);
  const auto read = trust::read_authority_record(mesh, encoded);
  REQUIRE(read.ok());
  const auto& cert = std::get<trust::record::Cert>(read->record.content);
  return trust::read_certificate(mesh, cert.certificate)->certificate;
}

TEST_CASE("what a person wants has room where all of that of peers is taken") {
  MemberRig rig;
  mesh::MembershipConfig config;
  config.genesis = rig.genesis;
  const trust::SignatureCheck signatures;
  mesh::Membership membership(config, trust::mesh_id(rig.genesis), rig.store(0).device(),
                              signatures);
  const auto of_peer = [&](std::size_t number) {
    trust::Certificate wanted;
    wanted.device.data[0] = static_cast<std::uint8_t>(number);
    return membership.wish(
        {std::nullopt, mesh::LinkId{number}, std::nullopt, {}, std::move(wanted)});
  };
  const auto of_person = [&] {
    return membership.wish({mesh::Token{1}, std::nullopt, std::nullopt, {}, std::nullopt});
  };
  std::size_t peers = 0;
  while (of_peer(peers + 1))
    ++peers;
  CHECK(peers == limits::kIssuesWaiting / 2);
  for (std::size_t i = peers; i < limits::kIssuesWaiting; ++i)
    CHECK(of_person());
  CHECK_FALSE(of_person());
  CHECK_FALSE(of_peer(0xff));
}

TEST_CASE("what is wanted of an issuer first of all, before it has judged the time, is signed") {
  MemberRig rig;
  rig.node(0).membership->given = rig.records;
  rig.start(0);
  rig.input(0, by_hand(1, rig.store(0).device()));
  rig.run_for(seconds(1));
  REQUIRE(rig.node(0).issued.size() == 1);
  CHECK(rig.node(0).issued[0].record.ok());
}

TEST_CASE("policies that wait together have numbers of their own, and the last one holds") {
  MemberRig rig;
  rig.commit_delay = milliseconds(50);
  rig.node(0).membership->given = rig.records;
  rig.start(0);
  rig.run_for(seconds(1));
  rig.input(0, mesh::PolicyWanted{{1}, trust::Admit::kSecret});
  rig.input(0, mesh::PolicyWanted{{2}, trust::Admit::kInvite});
  rig.input(0, mesh::PolicyWanted{{3}, trust::Admit::kSecret});
  rig.run_for(seconds(1));
  REQUIRE(rig.node(0).issued.size() == 3);
  for (std::uint64_t i = 0; i < 3; ++i) {
    const Result<Bytes>& record = rig.node(0).issued[i].record;
    REQUIRE(record.ok());
    const auto read = trust::read_authority_record(trust::mesh_id(rig.genesis), *record);
    REQUIRE(read.ok());
    CHECK(std::get<trust::record::Policy>(read->record.content).number == i + 1);
  }
}

TEST_CASE("who asked by the secret is judged by the policy of when it is signed") {
  MemberRig rig;
  rig.admit_by_secret();
  bool fails = true;
  rig.fails_authority = [&](std::size_t i) { return i == 0 && fails; };
  const std::size_t late = rig.add_stranger({0});
  rig.start(0);
  rig.run_for(seconds(1));
  rig.input(0, mesh::PolicyWanted{{1}, trust::Admit::kInvite});
  rig.start(late);
  rig.run_for(seconds(1));
  fails = false;
  rig.run_for(seconds(100));
  REQUIRE(rig.node(0).issued.size() == 1);
  REQUIRE(rig.node(0).issued[0].record.ok());
  CHECK(rig.engine(0).counters().certificates_issued == 0);
  CHECK(rig.standing(late) == trust::Standing::kUnknown);
  CHECK(was_told(rig.node(late), "this mesh lets in by invite alone"));
}

TEST_CASE("by the secret nobody new is let in once the records are half full; others are renewed") {
  constexpr std::size_t kCome = 16;
  MemberRig rig;
  rig.admit_by_secret();
  rig.node(0).membership->shares.issuers = std::size_t{32} << 10;
  const std::size_t known = rig.add_member({0}, {kAllRoles, {""}, -300, 10});
  std::vector<std::size_t> strangers;
  for (std::size_t i = 0; i < kCome; ++i)
    strangers.push_back(rig.add_stranger({0}));
  rig.start(0);
  for (const std::size_t stranger : strangers)
    rig.start(stranger);
  rig.run_for(seconds(120));
  const std::uint64_t let_in = rig.engine(0).counters().certificates_issued;
  CHECK(let_in > 2);
  CHECK(let_in < kCome);
  CHECK(rig.engine(0).membership().is_issuer);
  rig.start(known);
  rig.input(0, by_hand(1, rig.store(strangers.back()).device()));
  rig.run_for(seconds(120));
  CHECK(rig.engine(0).counters().certificates_issued == let_in + 2);
  CHECK_FALSE(rig.engine(known).membership().renewal_due);
  CHECK(std::any_of(strangers.begin(), strangers.end(),
                    [&](std::size_t i) { return was_told(rig.node(i), "half full"); }));
}

TEST_CASE("a renewal that waits does not give back what was taken meanwhile") {
  MemberRig rig;
  const std::size_t member = rig.add_member({0}, {kAllRoles, {"a", "b"}, -80, 10});
  bool fails = true;
  rig.fails_authority = [&](std::size_t i) { return i == 0 && fails; };
  rig.start(0);
  rig.run_for(seconds(1));
  mesh::IssueWanted narrower = by_hand(1, rig.store(member).device());
  narrower.prefixes = {"a"};
  rig.input(0, narrower);
  rig.start(member);
  rig.run_for(seconds(2));
  fails = false;
  rig.run_for(seconds(100));
  REQUIRE(rig.node(0).issued.size() == 1);
  REQUIRE(rig.node(0).issued[0].record.ok());
  CHECK(certificate_in(rig, *rig.node(0).issued[0].record).prefixes ==
        std::vector<std::string>{"a"});
  CHECK(rig.engine(0).counters().certificates_issued == 1);
  const auto own = rig.engine(member).membership();
  REQUIRE(own.certificate);
  CHECK(own.certificate->prefixes == std::vector<std::string>{"a"});
  CHECK_FALSE(own.renewal_due);
}

TEST_CASE("nothing is signed by hand for a device that was revoked") {
  MemberRig rig;
  const std::size_t member = rig.add_member({0}, {kAllRoles, {""}, -80, 10});
  rig.write(trust::record::Revoke{rig.store(member).device(), {}});
  rig.node(0).membership->given = rig.records;
  rig.start(0);
  rig.run_for(seconds(1));
  rig.input(0, by_hand(1, rig.store(member).device()));
  rig.run_for(seconds(1));
  REQUIRE(rig.node(0).issued.size() == 1);
  REQUIRE_FALSE(rig.node(0).issued[0].record.ok());
  CHECK(rig.node(0).issued[0].record.error().code == ErrorCode::kPermission);
  CHECK(rig.node(0).issued[0].record.error().message().find("taken off") != std::string::npos);
}

TEST_CASE("the later word on a record is the only one that is kept of it") {
  const auto place = [](std::uint8_t number) {
    DeviceId authority;
    authority.data[0] = number;
    return mesh::Unkept::Place{authority, {number, {}}};
  };
  const Bytes record{1, 2, 3};
  mesh::Unkept first;
  CHECK(first.empty());
  first.put(place(1), record);
  first.drop(place(1));
  first.drop(place(2));
  first.put(place(2), record);
  first.put(place(3), record);
  first.drop(place(4));
  first.put(place(5), record);
  mesh::AuthorityUpdate update = first.update();
  CHECK(update.records.size() == 3);
  CHECK(update.dropped == std::vector{place(1), place(4)});
  // It was not kept, and more has come since.
  mesh::Unkept second;
  second.drop(place(3));
  second.put(place(4), record);
  second.add_earlier(std::move(first));
  update = second.update();
  CHECK(update.records.size() == 3);
  CHECK(update.dropped == std::vector{place(1), place(3)});
}

KeyedChannels& keyed(MemberRig& rig) {
  auto channels = std::make_unique<KeyedChannels>(std::move(rig.node(0).channels));
  KeyedChannels& keyed = *channels;
  rig.node(0).channels = std::move(channels);
  return keyed;
}

// Records of the issuer that node 0 has kept.
std::size_t signed_records(MemberRig& rig) {
  const DeviceId issuer = rig.store(0).device();
  std::set<Position> kept;
  for (const Bytes& record : rig.node(0).records_kept) {
    const auto read = trust::read_authority_record(trust::mesh_id(rig.genesis), record);
    if (read->record.authority == issuer) kept.insert(read->record.position());
  }
  return kept.size();
}

std::size_t times_told(const Rig::Node& node, std::string_view text) {
  return static_cast<std::size_t>(std::count_if(
      node.notices.begin(), node.notices.end(),
      [text](const mesh::Notice& notice) { return notice.text.find(text) != std::string::npos; }));
}

TEST_CASE("a device that had its certificates of a day hears so, asks seldom, and has one next") {
  MemberRig rig;
  const std::size_t member = rig.add_member({0});
  auto& keys = keyed(rig).keys;
  rig.start(0);
  const auto begin_with = [&](std::uint8_t number) {
    if (rig.node(member).engine != nullptr) rig.stop(member);
    rig.run_for(seconds(1));
    keys[rig.store(member).device()] = link_key_of(number);
    rig.node(member).membership->link_key = link_key_of(number);
    rig.start(member);
    rig.run_for(seconds(60));
  };
  rig.run_for(seconds(1));
  const std::size_t before = signed_records(rig);
  const Instant first = rig.now();
  for (std::uint8_t i = 1; i <= limits::kCertificatesPerDeviceDay; ++i) {
    begin_with(i);
    CHECK(rig.engine(0).counters().certificates_issued == i);
    CHECK(rig.engine(member).membership().certificate->link_key == link_key_of(i));
  }
  constexpr std::string_view kOften = "it was certified often: again tomorrow";
  CHECK_FALSE(was_told(rig.node(member), kOften));
  begin_with(0x70);
  CHECK(times_told(rig.node(member), kOften) == 1);
  CHECK(rig.engine(member).membership().last_refusal == kOften);
  // It stays linked as what it is, and asks about once an hour.
  const std::uint64_t asked = rig.count(0, "auth").messages_in;
  rig.run_for(first + milliseconds(kDayMs) - rig.now() - seconds(10));
  CHECK(rig.streams_between(0, member) == 1);
  CHECK(times_told(rig.node(member), kOften) >= 20);
  CHECK(times_told(rig.node(member), kOften) <= 25);
  CHECK(rig.count(0, "auth").messages_in - asked <= 30);
  CHECK(rig.engine(0).counters().certificates_issued == limits::kCertificatesPerDeviceDay);
  CHECK(signed_records(rig) == before + limits::kCertificatesPerDeviceDay);
  rig.run_for(seconds(2 * 3600));
  CHECK(rig.engine(0).counters().certificates_issued == limits::kCertificatesPerDeviceDay + 1);
  CHECK(rig.engine(member).membership().certificate->link_key == link_key_of(0x70));
  CHECK(rig.node(0).faults.empty());
  CHECK(rig.node(member).faults.empty());
}

TEST_CASE("what waits of a device counts when it is signed, so it has no more a day by waiting") {
  MemberRig rig;
  const DeviceId device = rig.store(rig.add_member()).device();
  auto& keys = keyed(rig).keys;
  bool fails = false;
  rig.fails_authority = [&](std::size_t i) { return i == 0 && fails; };
  rig.start(0);
  RawMember raw(rig, device);
  const auto ask_with = [&](std::uint8_t number) {
    keys[device] = link_key_of(number);
    raw.connect();
    raw.send(codec::AuthRecords{});
    raw.send(codec::AuthAsk{"label"});
    rig.run_for(seconds(2));
  };
  for (std::uint8_t i = 1; i < limits::kCertificatesPerDeviceDay; ++i)
    ask_with(i);
  CHECK(rig.engine(0).counters().certificates_issued == limits::kCertificatesPerDeviceDay - 1);
  fails = true;
  ask_with(0x70);
  ask_with(0x71);
  CHECK_FALSE(raw.take<codec::AuthRefused>());
  fails = false;
  for (int i = 0; i < 20; ++i) {
    rig.run_for(seconds(5));
    raw.send(codec::Ping{1, true});
  }
  CHECK(rig.engine(0).counters().certificates_issued == limits::kCertificatesPerDeviceDay);
  const auto refused = raw.take<codec::AuthRefused>();
  REQUIRE(refused);
  CHECK(refused->code == codec::AuthRefusal::kNotByPolicy);
}

TEST_CASE("the mesh's secret is nowhere in memory behind its use at who lets in") {
  MemberRig rig;
  const DeviceId late = rig.store(rig.add_stranger()).device();
  const auto invite = *mesh::InviteId::from(late.view().first(mesh::InviteId::kSize));
  KeyedChannels& channels = keyed(rig);
  channels.invites[late] = invite;
  Bytes secret(limits::kMeshSecretBytes);
  for (std::size_t i = 0; i < secret.size(); ++i)
    secret[i] = static_cast<std::uint8_t>(0xa5 + 7 * i);
  rig.node(0).membership->secret = *MeshSecret::from(secret);
  rig.node(0).membership->invites = {{invite, {rig.wall().ms + kDayMs}, 1}};
  rig.start(0);
  RawMember raw(rig, late);
  raw.connect();
  const Bytes told = hidden(secret);
  std::size_t came = 0;
  rig.on_stray_send = [&](const mesh::Send& sent) {
    const bool has_it = std::search(sent.bytes.begin(), sent.bytes.end(), told.begin(),
                                    told.end()) != sent.bytes.end();
    came += has_it ? 1 : 0;
  };
  channels.hides = true;
  std::size_t left = 0;
  auto copied = std::make_unique<mesh::MembershipConfig>(*rig.node(0).membership);
  {
    const GivenBack given_back(secret);
    raw.send(codec::AuthAsk{"label"});
    rig.run_for(seconds(1));
    rig.stop(0);
    copied.reset();
    left = given_back.blocks();
  }
  CHECK(came == 1);
  CHECK(left == 0);
}

}  // namespace
}  // namespace ebb::tests
