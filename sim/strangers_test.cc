// Strangers: how far they come with each channel, that they are noticed where they come further,
// and that a run with nothing but them is a good one.
#include "sim/strangers.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

#include "core/planted.h"
#include "mesh/secure_channel.h"
#include "sim/cluster.h"
#include "sim/scenarios.h"
#include "sim/stand_in_channel.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::sim;

namespace {

const MeshId kMesh = *MeshId::from(as_bytes("mesh of 16 bytes"));

// An honest host's channels, and a stranger who would talk to it.
struct Door {
  Door(bool is_real, bool has_secret) : real(is_real), closed(has_secret) {
    REQUIRE(trust::crypto_ready().ok());
    const Bytes secret(has_secret ? 32 : 0, 6);
    const auto known = trust::MeshSecret::from(secret);
    channel::AccessKeys links;
    links.push_back(known ? channel::AccessKey::for_link(kMesh, *known)
                          : channel::AccessKey::for_link(kMesh));
    access = std::make_unique<mesh::AccessBook>(std::move(links));
    stand_in = std::make_unique<StandInChannels>(kMesh, secret, host, check, Rng(1));
    secure = std::make_unique<mesh::SecureChannels>(mesh::SecureSetup{
        host, check, channel::StaticKey(*channel::Key::from(Bytes(32, 3))), *access,
        [next = std::uint8_t{10}]() mutable { return *channel::Key::from(Bytes(32, ++next)); }});
  }
  const mesh::Channels& channels() const {
    return real ? static_cast<const mesh::Channels&>(*secure) : *stand_in;
  }
  std::unique_ptr<StrangerEnd> stranger() const {
    return make_stranger_end({real, closed, kMesh, self}, Rng(5));
  }

  bool real, closed;
  StandInIdentity host{Bytes(32, 1)}, self{Bytes(32, 2)};
  StandInCheck check;
  std::unique_ptr<mesh::AccessBook> access;
  std::unique_ptr<StandInChannels> stand_in;
  std::unique_ptr<mesh::SecureChannels> secure;
};

ByteView without_length(const Bytes& wire) { return ByteView(wire).subspan(2); }

// What the host says to an answer of the stranger's in that name.
struct Answered {
  Answered(const Door& door, StrangerEnd& stranger, const DeviceId& named) {
    const auto channel = door.channels().dial({});
    Bytes first;
    channel->start(first);
    std::optional<Bytes> answer = stranger.answer(without_length(first), named);
    REQUIRE(answer);
    failure = channel->receive(std::move(*answer), plain, said);
  }
  std::optional<mesh::ChannelFailure> failure;
  Bytes plain, said;
};

}  // namespace

TEST_CASE("who dials without the secret, or without a mac, is told nothing") {
  for (const bool real : {false, true}) {
    for (const bool secret : {false, true}) {
      for (const bool mac : {false, true}) {
        const Door door(real, secret);
        const auto channel = door.channels().accept({}, [] { return true; });
        Bytes plain, said;
        const auto failure = channel->receive(door.stranger()->first(mac), plain, said);
        REQUIRE(failure);
        CHECK(failure->fault == mesh::ChannelFault::kNoAccess);
        CHECK(said.empty());
      }
    }
  }
}

TEST_CASE("who answers without the secret is not read, and reads nothing") {
  for (const bool real : {false, true}) {
    const Door door(real, true);
    const auto stranger = door.stranger();
    const Answered answered(door, *stranger, door.self.device());
    CHECK_FALSE(answered.failure);
    CHECK_FALSE(answered.said.empty());
    CHECK_FALSE(stranger->reads(without_length(answered.said)));
    if (!kBugsArePlanted) continue;
    const PlantedScope scope(Bug::kForgetSecret);
    const auto again = door.stranger();
    const Answered open(door, *again, door.self.device());
    CHECK(again->reads(without_length(open.said)));
  }
}

TEST_CASE("who names another device in an answer, or is of another mesh, gets no message 3") {
  for (const bool real : {false, true}) {
    const Door door(real, true);
    const Answered named(door, *door.stranger(), door.host.device());
    REQUIRE(named.failure);
    CHECK(named.failure->fault == mesh::ChannelFault::kBadProof);
    CHECK(named.said.empty());
    const Door open(real, false);
    const Answered other(open, *open.stranger(), open.self.device());
    REQUIRE(other.failure);
    CHECK(other.failure->fault == mesh::ChannelFault::kBroken);
    CHECK(other.said.empty());
  }
}

TEST_CASE("what was overheard is the beginning of both ends, or is not there") {
  Overheard overheard;
  Rng rng(1);
  overheard.hear(5, 0, Bytes(10, 1));
  CHECK(overheard.draw(rng) == nullptr);
  overheard.hear(4, 0, Bytes(10, 2));  // whose beginning may be missing
  overheard.hear(4, 1, Bytes(10, 3));
  overheard.hear(5, 1, Bytes(3, 4));
  overheard.hear(5, 0, Bytes(2 * Overheard::kBytes, 5));
  const Overheard::Handshake* const heard = overheard.draw(rng);
  REQUIRE(heard != nullptr);
  CHECK(heard->said[0].size() == Overheard::kBytes);
  CHECK(heard->said[0][9] == 1);
  CHECK(heard->said[0][10] == 5);
  CHECK(heard->said[1] == Bytes(3, 4));
}

TEST_CASE("each thing that a stranger may not have is a finding") {
  Findings findings;
  StrangerChecker checker(findings);
  DeviceId device;
  device.data.fill(9);
  Bytes sealed(100, 1);
  Bytes plain = sealed;
  append(plain, device.view());
  checker.set({}, {device}, true);
  checker.passed(3, sealed);
  CHECK(findings.empty());
  SUBCASE("an answer") { checker.answered(3); }
  SUBCASE("more than an answer") { checker.went_on(3); }
  SUBCASE("what he can read") { checker.was_read(3); }
  SUBCASE("a name on the way") { checker.passed(3, plain); }
  CHECK(findings.by_checker().at("strangers") == 1);
}

TEST_CASE("with nothing but strangers a run is good, and they do all that they can") {
  for (const bool real : {false, true}) {
    for (const bool secret : {false, true}) {
      Options options = *expand_scenario("calm", 3, 6, seconds(900));
      options.strange(3);
      options.real_channel = real;
      options.secret = secret;
      const ebb::tests::TempDir dir;
      const Outcome outcome = run_seed(options, dir.path().string());
      CHECK_MESSAGE(outcome.good(), report(outcome));
      for (auto i = static_cast<std::size_t>(kFirstStranger);
           i <= static_cast<std::size_t>(kLastStranger); ++i) {
        CHECK_MESSAGE(outcome.faults.of(static_cast<Fault>(i)) > 0, kFaultTable[i].name);
      }
    }
  }
}
