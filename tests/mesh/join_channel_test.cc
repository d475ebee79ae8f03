// Channels of purpose join: who was invited, and who is at the other end.
#include <doctest/doctest.h>

#include "mesh/access_book.h"
#include "tests/codec/allocation_peak.h"
#include "tests/mesh/secure_rig.h"

using namespace ebb;
using namespace ebb::tests;

namespace {

trust::InviteSecret secret_of(std::uint8_t number) {
  trust::InviteSecret secret = kInviteSecret.copy();
  secret.data()[0] = number;
  return secret;
}

// An inviter with some invites, and a stranger who has the secret of one of them.
struct Inviting {
  Inviting() {
    EBB_CHECK(trust::crypto_ready().ok());
    channel::AccessKeys links;
    links.push_back(channel::AccessKey::for_link(test_mesh(), kMeshSecret));
    book = std::make_unique<mesh::AccessBook>(std::move(links));
    inviter = make(first_store, 10, *book, std::nullopt);
  }

  static std::unique_ptr<mesh::SecureChannels> make(const FakeStore& store, std::uint8_t seed,
                                                    const mesh::AccessBook& access,
                                                    std::optional<trust::LinkKey> expected) {
    return std::make_unique<mesh::SecureChannels>(
        mesh::SecureSetup{store.identity(), kSignatureCheck, channel::StaticKey(key_of(seed)),
                          access, [next = seed]() mutable { return key_of(++next); },
                          codec::kWireVersion, codec::kWireVersion, expected});
  }

  static trust::LinkKey link_key(std::uint8_t seed) {
    return trust::LinkKey{channel::StaticKey(key_of(seed)).public_part().data};
  }

  void invite(std::initializer_list<std::uint8_t> numbers) {
    std::vector<mesh::AccessInvite> invites;
    for (const std::uint8_t number : numbers)
      invites.push_back({trust::invite_id(secret_of(number)), secret_of(number)});
    book->set_invites(test_mesh(), invites);
  }

  // The stranger dials with an invite, looking for the one whose key is of `expected`.
  void dial(std::uint8_t number, std::uint8_t expected = 10) {
    dialled.reset();
    strangers_book =
        std::make_unique<mesh::AccessBook>(mesh::keys_of_invite(test_mesh(), secret_of(number)));
    stranger = make(second_store, 100, *strangers_book, link_key(expected));
    dialled = stranger->dial({});
  }
  void begin() {
    accepted = inviter->accept({}, [] { return true; });
    dialled->start(to_inviter);
  }
  // The next message; what it has failed with.
  std::optional<mesh::ChannelFailure> hear() {
    Bytes plain;
    return accepted->receive(std::exchange(to_inviter, {}), plain, to_stranger);
  }
  std::optional<mesh::ChannelFailure> answer() {
    Bytes plain;
    return dialled->receive(std::exchange(to_stranger, {}), plain, to_inviter);
  }

  FakeStore first_store{1}, second_store{2};
  std::unique_ptr<mesh::AccessBook> book, strangers_book;
  std::unique_ptr<mesh::SecureChannels> inviter, stranger;
  std::unique_ptr<mesh::Channel> accepted, dialled;
  Bytes to_inviter, to_stranger;
};

}  // namespace

TEST_CASE("who dials with an invite is known by it, and as the device that it proves") {
  for (const std::uint8_t number : {std::uint8_t{3}, std::uint8_t{4}}) {
    Inviting ends;
    ends.invite({3, 4});
    ends.dial(number);
    ends.begin();
    REQUIRE(!ends.hear());
    REQUIRE(!ends.answer());
    REQUIRE(!ends.hear());
    REQUIRE(ends.accepted->established());
    REQUIRE(ends.dialled->established());
    const auto& peer = ends.accepted->peer();
    CHECK(peer->invite == trust::invite_id(secret_of(number)));
    CHECK(peer->device == ends.second_store.device());
    CHECK(peer->link_key == Inviting::link_key(100));
    CHECK_FALSE(ends.dialled->peer()->invite.has_value());
  }
}

TEST_CASE("an invite that is not known is met with silence, and so is one that was forgotten") {
  Inviting ends;
  ends.invite({3});
  ends.dial(4);
  ends.begin();
  auto failure = ends.hear();
  REQUIRE(failure);
  CHECK(failure->fault == mesh::ChannelFault::kNoAccess);
  CHECK(ends.to_stranger.empty());
  ends.invite({});
  ends.dial(3);
  ends.begin();
  failure = ends.hear();
  REQUIRE(failure);
  CHECK(failure->fault == mesh::ChannelFault::kNoAccess);
  CHECK(ends.to_stranger.empty());
}

TEST_CASE("invites may come and go while a handshake is open, which keeps the one it is of") {
  Inviting ends;
  ends.invite({});
  ends.dial(3);
  ends.begin();
  ends.invite({5, 3, 6});
  REQUIRE(!ends.hear());
  ends.invite({});
  REQUIRE(!ends.answer());
  REQUIRE(!ends.hear());
  CHECK(ends.accepted->peer()->invite == trust::invite_id(secret_of(3)));
}

TEST_CASE("who joins shows nothing to another than the one who has invited") {
  Inviting ends;
  ends.invite({3});
  ends.dial(3, 11);
  ends.begin();
  REQUIRE(!ends.hear());
  const auto failure = ends.answer();
  REQUIRE(failure);
  CHECK(failure->fault == mesh::ChannelFault::kBadProof);
  CHECK(ends.to_inviter.empty());
}

TEST_CASE("links of the mesh go on beside invites, and are of none") {
  Inviting ends;
  ends.invite({3, 4});
  channel::AccessKeys links;
  links.push_back(channel::AccessKey::for_link(test_mesh(), kMeshSecret));
  ends.strangers_book = std::make_unique<mesh::AccessBook>(std::move(links));
  ends.stranger = Inviting::make(ends.second_store, 100, *ends.strangers_book, std::nullopt);
  ends.dialled = ends.stranger->dial({});
  ends.begin();
  REQUIRE(!ends.hear());
  REQUIRE(!ends.answer());
  REQUIRE(!ends.hear());
  CHECK_FALSE(ends.accepted->peer()->invite.has_value());
}

TEST_CASE("what is sealed in a short message is nowhere in memory behind that") {
  Inviting ends;
  ends.invite({3});
  ends.dial(3);
  ends.begin();
  REQUIRE(!ends.hear());
  REQUIRE(!ends.answer());
  REQUIRE(!ends.hear());
  const Bytes secret(32, 0xa7);
  Bytes wire;
  const GivenBack given_back(secret);
  {
    Bytes message;
    message.reserve(2 * secret.size());
    append(message, secret);
    ends.accepted->seal(std::move(message), wire);
  }
  CHECK(given_back.blocks() == 0);
  CHECK(wire.size() > secret.size());
}
