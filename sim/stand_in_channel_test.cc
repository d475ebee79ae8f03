// The stand-in is as long on the wire as the channel that it stands for, and finds as much.
#include "sim/stand_in_channel.h"

#include <doctest/doctest.h>

#include <optional>
#include <utility>
#include <vector>

#include "core/limits.h"
#include "mesh/secure_channel.h"
#include "sim/stand_in_identity.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::sim;

namespace {

const MeshId kMesh = *MeshId::from(as_bytes("mesh of 16 bytes"));

// Two ends, and the bytes of each message between them.
struct Pair {
  Pair(const mesh::Channels& one, const mesh::Channels& other,
       const mesh::ChannelClaim& of_first = {}, const mesh::ChannelClaim& of_second = {})
      : first(one.dial(of_first)), second(other.accept(of_second, [] { return true; })) {}

  // Message by message; the one that is spoiled is changed by `spoil`.
  void shake_hands(std::optional<std::size_t> at = {}, Bytes (*spoil)(Bytes, std::size_t) = nullptr,
                   std::size_t argument = 0) {
    Bytes wire;
    first->start(wire);
    for (std::size_t i = 0; i < 3; ++i) {
      lengths.push_back(wire.size());
      if (at == i) wire = spoil(std::move(wire), argument);
      Bytes answer;
      mesh::Channel& end = i == 1 ? *first : *second;
      failure = end.receive(std::move(wire), plain, answer);
      if (failure) answered = !answer.empty();
      if (failure) return;
      wire = std::move(answer);
    }
  }

  std::unique_ptr<mesh::Channel> first, second;
  std::vector<std::size_t> lengths;
  std::optional<mesh::ChannelFailure> failure;
  bool answered = false;
  Bytes plain;
};

struct StandIns {
  explicit StandIns(Bytes of_mesh = {}) : secret(std::move(of_mesh)) {}
  Bytes secret;  // of the mesh; empty: none
  StandInIdentity first{Bytes(32, 1)}, second{Bytes(32, 2)};
  StandInCheck check;
  StandInChannels at_first{kMesh, secret, first, check, Rng(1)};
  StandInChannels at_second{kMesh, secret, second, check, Rng(2)};
};

Bytes flip(Bytes bytes, std::size_t at) {
  bytes[at] ^= 0x10;
  return bytes;
}

}  // namespace

TEST_CASE("messages and records of the stand-in are as long as those of the real channel") {
  REQUIRE(trust::crypto_ready().ok());
  Bytes secret;
  SUBCASE("without a secret") {}
  SUBCASE("with one") { secret.assign(32, 6); }
  const StandIns stand_ins(secret);
  const auto known = trust::MeshSecret::from(secret);
  channel::AccessKeys links;
  links.push_back(known ? channel::AccessKey::for_link(kMesh, *known)
                        : channel::AccessKey::for_link(kMesh));
  const mesh::AccessBook access(std::move(links));
  const auto real = [&](const trust::Identity& identity, std::uint8_t seed) {
    return mesh::SecureChannels(mesh::SecureSetup{
        identity, stand_ins.check, channel::StaticKey(*channel::Key::from(Bytes(32, seed))), access,
        [next = seed]() mutable { return *channel::Key::from(Bytes(32, ++next)); }});
  };
  const mesh::SecureChannels first = real(stand_ins.first, 10);
  const mesh::SecureChannels second = real(stand_ins.second, 20);
  Pair real_pair(first, second);
  Pair stand_in_pair(stand_ins.at_first, stand_ins.at_second);
  real_pair.shake_hands();
  stand_in_pair.shake_hands();
  REQUIRE(real_pair.second->established());
  REQUIRE(stand_in_pair.second->established());
  CHECK(stand_in_pair.lengths == real_pair.lengths);
  for (const std::size_t size : {std::size_t{1}, std::size_t{1000}, limits::kSealedRecordBytes,
                                 limits::kSealedRecordBytes + 1}) {
    Bytes by_real, by_stand_in;
    real_pair.first->seal(Bytes(size, 5), by_real);
    stand_in_pair.first->seal(Bytes(size, 5), by_stand_in);
    CHECK(by_stand_in.size() == by_real.size());
  }
  Bytes by_real, by_stand_in;
  real_pair.first->finish(by_real);
  stand_in_pair.first->finish(by_stand_in);
  CHECK(by_stand_in.size() == by_real.size());
}

TEST_CASE("the stand-in hands out what was sealed, however it is cut, and its end") {
  const StandIns stand_ins;
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{100000}}) {
    Pair pair(stand_ins.at_first, stand_ins.at_second);
    pair.shake_hands();
    REQUIRE(!pair.failure);
    REQUIRE(pair.second->peer());
    CHECK(pair.second->peer()->device == stand_ins.first.device());
    Bytes sent, wire, nothing;
    for (std::size_t i = 0; i < 5; ++i) {
      const Bytes plain(20000 * i + 3, static_cast<std::uint8_t>(i));
      append(sent, plain);
      pair.first->seal(plain, wire);
    }
    pair.first->finish(wire);
    for (ByteView rest(wire); !rest.empty(); rest = rest.subspan(std::min(piece, rest.size()))) {
      CHECK(!pair.second->ended());
      REQUIRE(!pair.second->receive(to_bytes(rest.first(std::min(piece, rest.size()))), pair.plain,
                                    nothing));
    }
    CHECK(pair.plain == sent);
    CHECK(pair.second->ended());
    CHECK(nothing.empty());
    CHECK(pair.second->receive(Bytes{0}, pair.plain, nothing));
  }
}

TEST_CASE("the stand-in takes no handshake of which a byte was flipped") {
  Bytes secret;
  SUBCASE("without a secret") {}
  SUBCASE("with one") { secret.assign(32, 6); }
  const StandIns stand_ins(secret);
  Pair good(stand_ins.at_first, stand_ins.at_second);
  good.shake_hands();
  for (std::size_t message = 0; message < 3; ++message) {
    for (std::size_t at = 0; at < good.lengths[message]; ++at) {
      CAPTURE(message);
      CAPTURE(at);
      Pair pair(stand_ins.at_first, stand_ins.at_second);
      pair.shake_hands(message, flip, at);
      CHECK(!pair.second->established());
      // Of a length that has grown the rest is waited for.
      if (message > 0 && at < 2 && !pair.failure) continue;
      REQUIRE(pair.failure);
      CHECK(pair.failure->fault ==
            (message == 0 ? mesh::ChannelFault::kNoAccess : mesh::ChannelFault::kBroken));
      CHECK(!pair.answered);
    }
  }
}

TEST_CASE("through the stand-in each end hears what the other claims") {
  const StandIns stand_ins;
  const mesh::ChannelClaim first{7, Bytes(300, 1), Bytes(40, 2)};
  const mesh::ChannelClaim second{8, {}, Bytes(3, 3)};
  Pair pair(stand_ins.at_first, stand_ins.at_second, first, second);
  pair.shake_hands();
  REQUIRE(pair.first->peer());
  REQUIRE(pair.second->peer());
  CHECK(pair.first->peer()->claim == second);
  CHECK(pair.second->peer()->claim == first);
  CHECK(pair.second->peer()->link_key == stand_in_link_key(stand_ins.first.device()));
}

TEST_CASE("the stand-in takes no record of which a byte was flipped, nor one twice") {
  const StandIns stand_ins;
  const Bytes plain(40, 9);
  for (std::size_t at = 2; at < 2 + plain.size() + 16; ++at) {
    CAPTURE(at);
    Pair pair(stand_ins.at_first, stand_ins.at_second);
    pair.shake_hands();
    Bytes wire, nothing;
    pair.first->seal(plain, wire);
    const auto failure = pair.second->receive(flip(wire, at), pair.plain, nothing);
    REQUIRE(failure);
    CHECK(failure->fault == mesh::ChannelFault::kBroken);
    CHECK(pair.plain.empty());
    CHECK(pair.second->receive(wire, pair.plain, nothing));  // it stays so
  }
  Pair pair(stand_ins.at_first, stand_ins.at_second);
  pair.shake_hands();
  Bytes wire, nothing;
  pair.first->seal(plain, wire);
  REQUIRE(!pair.second->receive(wire, pair.plain, nothing));
  CHECK(pair.second->receive(wire, pair.plain, nothing));
  CHECK(pair.plain == plain);
}

TEST_CASE("another mesh is not answered by the stand-in, nor who may not be") {
  const StandIns stand_ins;
  const StandInChannels stranger(*MeshId::from(as_bytes("another mesh....")), {}, stand_ins.first,
                                 stand_ins.check, Rng(1));
  Pair pair(stranger, stand_ins.at_second);
  pair.shake_hands();
  REQUIRE(pair.failure);
  CHECK(pair.failure->fault == mesh::ChannelFault::kNoAccess);
  CHECK(!pair.answered);
  for (const Bytes& secret : {Bytes{}, Bytes(32, 7)}) {
    const StandIns closed(Bytes(32, 6));
    const StandInChannels other(kMesh, secret, closed.first, closed.check, Rng(1));
    Pair guessed(other, closed.at_second);
    guessed.shake_hands();
    REQUIRE(guessed.failure);
    CHECK(guessed.failure->fault == mesh::ChannelFault::kNoAccess);
    CHECK(!guessed.answered);
  }
  Pair refused(stand_ins.at_first, stand_ins.at_second);
  refused.second = stand_ins.at_second.accept({}, [] { return false; });
  refused.shake_hands();
  REQUIRE(refused.failure);
  CHECK(refused.failure->fault == mesh::ChannelFault::kNotAnswered);
  CHECK(!refused.answered);
}
