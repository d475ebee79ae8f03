// What an issuer signs, for whom and how often.
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

#include "mesh/membership.h"
#include "tests/mesh/member_rig.h"

namespace ebb::tests {
namespace {

// As those of others, but a device of `keys` has that link key.
class KeyedChannel final : public mesh::Channel {
 public:
  KeyedChannel(std::unique_ptr<mesh::Channel> inner, const std::map<DeviceId, trust::LinkKey>& keys)
      : inner_(std::move(inner)), keys_(keys) {}
  void start(Bytes& wire_out) override { inner_->start(wire_out); }
  std::optional<mesh::ChannelFailure> receive(Bytes wire, Bytes& plain_out,
                                              Bytes& wire_out) override {
    auto failure = inner_->receive(std::move(wire), plain_out, wire_out);
    if (inner_->peer() && !peer_) {
      peer_ = inner_->peer();
      const auto key = keys_.find(peer_->device);
      if (key != keys_.end()) peer_->link_key = key->second;
    }
    return failure;
  }
  void seal(Bytes plain, Bytes& wire_out) override { inner_->seal(std::move(plain), wire_out); }
  void finish(Bytes& wire_out) override { inner_->finish(wire_out); }
  bool established() const override { return inner_->established(); }
  bool ended() const override { return inner_->ended(); }
  const std::optional<mesh::ChannelPeer>& peer() const override { return peer_; }
  mesh::DatagramKeys take_datagram_keys() override { return inner_->take_datagram_keys(); }

 private:
  std::unique_ptr<mesh::Channel> inner_;
  const std::map<DeviceId, trust::LinkKey>& keys_;
  std::optional<mesh::ChannelPeer> peer_;
};

class KeyedChannels final : public mesh::Channels {
 public:
  explicit KeyedChannels(std::unique_ptr<mesh::Channels> inner) : inner_(std::move(inner)) {}
  std::uint32_t random_index() const override { return inner_->random_index(); }
  std::unique_ptr<mesh::Channel> dial(mesh::ChannelClaim own) const override {
    return std::make_unique<KeyedChannel>(inner_->dial(std::move(own)), keys);
  }
  std::unique_ptr<mesh::Channel> accept(mesh::ChannelClaim own,
                                        mesh::MayAnswer may_answer) const override {
    return std::make_unique<KeyedChannel>(inner_->accept(std::move(own), std::move(may_answer)),
                                          keys);
  }

  std::map<DeviceId, trust::LinkKey> keys;

 private:
  std::unique_ptr<mesh::Channels> inner_;
};

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

TEST_CASE("a device that changes its link key again and again waits for its next certificate") {
  MemberRig rig;
  const std::size_t member = rig.add_member({0});
  auto keyed = std::make_unique<KeyedChannels>(std::move(rig.node(0).channels));
  auto& keys = keyed->keys;
  rig.node(0).channels = std::move(keyed);
  rig.start(0);
  const auto begin_with = [&](std::uint8_t number) {
    rig.stop(member);
    keys[rig.store(member).device()] = link_key_of(number);
    rig.node(member).membership->link_key = link_key_of(number);
    rig.start(member);
    rig.run_for(seconds(20));
  };
  rig.start(member);
  rig.run_for(seconds(20));
  REQUIRE(rig.engine(0).counters().certificates_issued == 0);
  for (std::uint8_t i = 1; i <= limits::kRekeysAtOnce; ++i) {
    begin_with(i);
    CHECK(rig.engine(0).counters().certificates_issued == i);
  }
  CHECK_FALSE(was_told(rig.node(member), "too many link keys"));
  begin_with(0x70);
  begin_with(0x71);
  CHECK(rig.engine(0).counters().certificates_issued == limits::kRekeysAtOnce);
  CHECK(was_told(rig.node(member), "too many link keys of this device: ask again in 9 min"));
  CHECK(rig.engine(member).membership().certificate->link_key ==
        link_key_of(static_cast<std::uint8_t>(limits::kRekeysAtOnce)));
  rig.run_for(milliseconds(limits::kRekeyMs));
  CHECK(rig.engine(0).counters().certificates_issued == limits::kRekeysAtOnce + 1);
  CHECK(rig.engine(member).membership().certificate->link_key == link_key_of(0x71));
  CHECK(rig.node(0).faults.empty());
}

TEST_CASE("who is told later has lost nothing of how often its link key may change") {
  MemberRig rig;
  rig.admit_by_secret();
  bool fails = false;
  rig.fails_authority = [&](std::size_t i) { return i == 0 && fails; };
  constexpr std::size_t kMany = limits::kIssuesWaiting;
  for (std::size_t i = 0; i < kMany; ++i) {
    const std::size_t late = rig.add_stranger({0});
    rig.node(late).membership->given = {rig.records.front()};
  }
  const std::size_t member = rig.add_member({0});
  auto keyed = std::make_unique<KeyedChannels>(std::move(rig.node(0).channels));
  keyed->keys[rig.store(member).device()] = link_key_of(1);
  rig.node(0).channels = std::move(keyed);
  rig.node(member).membership->link_key = link_key_of(1);
  for (std::size_t i = 0; i <= kMany; ++i)
    rig.start(i);
  fails = true;
  rig.run_for(seconds(20));  // they take all places
  rig.start(member);
  rig.run_for(seconds(40));
  CHECK(was_told(rig.node(member), "too many wait"));
  fails = false;
  rig.run_for(seconds(30));
  CHECK_FALSE(was_told(rig.node(member), "too many link keys"));
  CHECK(rig.engine(member).membership().certificate->link_key == link_key_of(1));
}

TEST_CASE("who has no certificate yet does not rest as one that misbehaved") {
  MemberRig rig;
  const std::size_t stranger = rig.add_stranger({0});
  rig.start(0);
  rig.start(stranger);
  rig.run_for(seconds(25));
  CHECK(rig.not_admitted(0) >= 2);
  CHECK(rig.node(stranger).dial_times.size() >= 2);
  CHECK(rig.engine(stranger).peers()[0].state == "refused");
}

TEST_CASE("link keys: so many at once, then one at a time, and no more devices than remembered") {
  mesh::RekeyBook book;
  const Duration each = milliseconds(limits::kRekeyMs);
  const auto take = [&book](const DeviceId& id, Instant now) {
    const std::optional<Duration> wait = book.wait(id, now);
    if (!wait) book.count(id, now);
    return wait;
  };
  const auto device = [](std::size_t number) {
    DeviceId id;
    id.data[0] = static_cast<std::uint8_t>(number);
    id.data[1] = static_cast<std::uint8_t>(number >> 8U);
    return id;
  };
  const Instant begin{5};
  for (std::int64_t i = 0; i < limits::kRekeysAtOnce; ++i)
    CHECK_FALSE(take(device(0), begin));
  CHECK(take(device(0), begin) == each);
  CHECK(take(device(0), begin + each - microseconds(1)) == microseconds(1));
  CHECK_FALSE(take(device(0), begin + each));
  CHECK(take(device(0), begin + each) == each);
  // All of it again after a rest, and no more than that.
  const Instant later = begin + each * 100;
  for (std::int64_t i = 0; i < limits::kRekeysAtOnce; ++i)
    CHECK_FALSE(take(device(0), later));
  CHECK(take(device(0), later) == each);

  for (std::size_t i = 1; i < limits::kDevicesRekeyed; ++i)
    CHECK_FALSE(take(device(i), later));
  CHECK(take(device(limits::kDevicesRekeyed), later) == each);
  CHECK_FALSE(take(device(1), later));
  CHECK_FALSE(take(device(limits::kDevicesRekeyed), later + each));
}

TEST_CASE("what a person wants has room where all of that of peers is taken") {
  MemberRig rig;
  mesh::MembershipConfig config;
  config.genesis = rig.genesis;
  mesh::Membership membership(config, trust::mesh_id(rig.genesis), rig.store(0).device(),
                              trust::SignatureCheck());
  const mesh::Wish of_peer{std::nullopt, mesh::LinkId{1}, std::nullopt, {}, std::nullopt};
  const mesh::Wish of_person{mesh::Token{1}, std::nullopt, std::nullopt, {}, std::nullopt};
  for (std::size_t i = limits::kIssuesReserved; i < limits::kIssuesWaiting; ++i)
    CHECK(membership.wish(of_peer));
  CHECK_FALSE(membership.wish(of_peer));
  for (std::size_t i = 0; i < limits::kIssuesReserved; ++i)
    CHECK(membership.wish(of_person));
  CHECK_FALSE(membership.wish(of_person));
  CHECK_FALSE(membership.wish(of_peer));
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

}  // namespace
}  // namespace ebb::tests
