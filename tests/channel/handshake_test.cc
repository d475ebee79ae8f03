#include "channel/handshake.h"

#include <doctest/doctest.h>

#include "core/limits.h"
#include "tests/channel/ends.h"
#include "tests/channel/low_order.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::channel;
using namespace ebb::tests;

namespace {

// What both ends must know, in the three forms that there are.
struct Case {
  const char* name;
  AccessKey access;
};

std::vector<Case> cases() {
  REQUIRE(trust::crypto_ready().ok());
  std::vector<Case> all;
  all.push_back({"link", AccessKey::for_link(kMesh)});
  all.push_back({"link with a secret", AccessKey::for_link(kMesh, kMeshSecret)});
  all.push_back({"join", AccessKey::for_join(kMesh, kInviteSecret)});
  return all;
}

std::unique_ptr<Handshake> initiator_of(const AccessKey& access) {
  return Handshake::initiator(access, initiator_keys());
}

std::unique_ptr<Handshake> responder_of(std::span<const AccessKey> accepted) {
  return Handshake::responder(accepting(accepted), responder_keys());
}

bool equal_keys(const KeyPair& a, const KeyPair& b) {
  return equal(a.from_initiator.view(), b.from_initiator.view()) &&
         equal(a.from_responder.view(), b.from_responder.view());
}

// The wire bytes of a good handshake, to be spoiled.
std::vector<Bytes> messages_of(const AccessKey& access) {
  const auto initiator = initiator_of(access);
  const auto responder = responder_of({&access, 1});
  return speak(*initiator, *responder).messages;
}

// Gives a fresh end what comes before message `at`, then `wire` as that message.
Handshake::Received spoil(const AccessKey& access, std::size_t at, ByteView wire,
                          std::unique_ptr<Handshake>& reader) {
  const std::vector<Bytes> good = messages_of(access);
  Bytes out;
  if (at == 1) {
    reader = initiator_of(access);
    reader->start(out);
    return reader->receive(wire);
  }
  reader = responder_of({&access, 1});
  if (at == 2) {
    REQUIRE(reader->receive(good[0]).step == HandshakeStep::kAnswer);
    REQUIRE(reader->answer(as_bytes(kSecondPayload), out) == HandshakeStep::kMore);
    REQUIRE(out == good[1]);
  }
  return reader->receive(wire);
}

}  // namespace

TEST_CASE("both ends of a handshake have the same keys and have heard each other") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    const auto initiator = initiator_of(c.access);
    const auto responder = responder_of({&c.access, 1});
    const Spoken spoken = speak(*initiator, *responder);
    CHECK(as_text(spoken.heard_by_initiator) == kSecondPayload);
    CHECK(as_text(spoken.heard_by_responder) == kThirdPayload);
    CHECK(*initiator->peer_key() == responder_keys().static_key.public_part());
    CHECK(*responder->peer_key() == initiator_keys().static_key.public_part());
    CHECK(initiator->transcript() == responder->transcript());
    const SessionKeys one = initiator->take_keys();
    const SessionKeys two = responder->take_keys();
    CHECK(equal_keys(one.stream, two.stream));
    CHECK(equal_keys(one.datagrams, two.datagrams));
    // Four keys, none of them another's.
    const ByteView keys[] = {one.stream.from_initiator.view(), one.stream.from_responder.view(),
                             one.datagrams.from_initiator.view(),
                             one.datagrams.from_responder.view()};
    for (std::size_t i = 0; i < 4; ++i) {
      for (std::size_t j = 0; j < i; ++j)
        CHECK_FALSE(equal(keys[i], keys[j]));
    }
  }
}

TEST_CASE("a handshake may come byte by byte, and takes nothing of what follows it") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    const std::vector<Bytes> good = messages_of(c.access);
    const auto responder = responder_of({&c.access, 1});
    Bytes out;
    for (std::size_t at : {0U, 2U}) {
      for (std::size_t i = 0; i + 1 < good[at].size(); ++i) {
        const auto received = responder->receive(ByteView(good[at]).subspan(i, 1));
        CHECK(received.step == HandshakeStep::kMore);
        CHECK(received.taken == 1);
      }
      Bytes last = {good[at].back()};
      append(last, as_bytes("and what comes behind"));
      const auto received = responder->receive(last);
      CHECK(received.taken == 1);
      CHECK(received.step == (at == 0 ? HandshakeStep::kAnswer : HandshakeStep::kDone));
      // While it is our turn, nothing is taken either.
      CHECK(responder->receive(as_bytes("more")).taken == 0);
      if (at == 0)
        REQUIRE(responder->answer(as_bytes(kSecondPayload), out) == HandshakeStep::kMore);
    }
    CHECK(as_text(responder->payload()) == kThirdPayload);
  }
}

TEST_CASE("without the mac there is silence, whatever comes") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    const Bytes good = messages_of(c.access)[0];
    std::unique_ptr<Handshake> reader;
    for (std::size_t byte = 0; byte < good.size(); ++byte) {
      for (std::uint8_t bit = 1; bit != 0; bit = static_cast<std::uint8_t>(bit << 1)) {
        Bytes wire = good;
        wire[byte] ^= bit;
        const auto received = spoil(c.access, 0, wire, reader);
        CHECK(received.step == HandshakeStep::kSilence);
        CHECK_FALSE(reader->error().has_value());
        // The right one behind it does not help.
        CHECK(reader->receive(good).step == HandshakeStep::kSilence);
      }
    }
    for (const std::string_view text : {"GET / HTTP/1.1\r\n\r\n", "SSH-2.0-x\r\n", "ebb-plain-1"}) {
      CHECK(spoil(c.access, 0, as_bytes(text), reader).step == HandshakeStep::kSilence);
    }
    CHECK(spoil(c.access, 0, Bytes(2), reader).step == HandshakeStep::kSilence);
    CHECK(spoil(c.access, 0, Bytes(4096, 0xff), reader).step == HandshakeStep::kSilence);
  }
}

TEST_CASE("a mac under another mesh, purpose or secret is none") {
  const std::vector<Case> all = cases();
  MeshId other_mesh = kMesh;
  other_mesh.data[15] ^= 1;
  trust::MeshSecret other_secret = kMeshSecret.copy();
  other_secret.data()[0] ^= 1;
  // The same 32 bytes for another purpose.
  const auto as_invite = InviteSecret::from(kMeshSecret.view());
  std::vector<AccessKey> accepted;
  accepted.push_back(AccessKey::for_link(other_mesh));
  accepted.push_back(AccessKey::for_link(other_mesh, kMeshSecret));
  accepted.push_back(AccessKey::for_link(kMesh, other_secret));
  accepted.push_back(AccessKey::for_join(kMesh, *as_invite));
  accepted.push_back(AccessKey::for_join(other_mesh, kInviteSecret));
  for (const Case& c : all) {
    CAPTURE(c.name);
    CHECK(responder_of(accepted)->receive(messages_of(c.access)[0]).step ==
          HandshakeStep::kSilence);
    CHECK(responder_of({})->receive(messages_of(c.access)[0]).step == HandshakeStep::kSilence);
  }
}

TEST_CASE("a responder finds the key of the mesh or one of 64 invites") {
  REQUIRE(trust::crypto_ready().ok());
  std::vector<AccessKey> accepted;
  accepted.push_back(AccessKey::for_link(kMesh, kMeshSecret));
  for (std::uint8_t i = 0; i < limits::kInvitesTried; ++i) {
    InviteSecret secret = kInviteSecret.copy();
    secret.data()[0] = i;
    accepted.push_back(AccessKey::for_join(kMesh, secret));
  }
  for (std::size_t i = 0; i < accepted.size(); ++i) {
    const auto initiator = initiator_of(accepted[i]);
    const auto responder = responder_of(accepted);
    speak(*initiator, *responder);
    CHECK(responder->accepted_index() == i);
  }
}

TEST_CASE("a first message with a key of low order, mac and tag right, is not answered") {
  // Whoever knows the mesh's secret can make both.
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    NoiseVector vector;
    vector.protocol_name =
        "Noise_" + std::string(c.access.pattern().name) + "_25519_ChaChaPoly_SHA256";
    const HandshakeKeys keys = initiator_keys();
    vector.initiator.prologue = c.access.prologue();
    vector.initiator.static_key = to_bytes(keys.static_key.secret().view());
    vector.initiator.ephemeral_key = to_bytes(keys.ephemeral_key.view());
    if (const auto psk = c.access.psk()) vector.initiator.psk = to_bytes(psk->view());
    for (const PublicKey& key : low_order_keys()) {
      FalseEnd end(vector, vector.initiator, FalseEnd::Where::kEphemeral, key);
      const Bytes noise = end.first();
      Bytes wire;
      append_be16(wire, static_cast<std::uint16_t>(kMacBytes + noise.size()));
      append(wire, c.access.mac(noise).view());
      append(wire, noise);
      std::unique_ptr<Handshake> reader;
      REQUIRE(spoil(c.access, 0, wire, reader).step == HandshakeStep::kAnswer);
      Bytes out;
      CHECK(reader->answer({}, out) == HandshakeStep::kFailed);
      CHECK(out.empty());
      REQUIRE(reader->error().has_value());
      CHECK(reader->error()->context == "noise: a public key of low order");
    }
  }
}

TEST_CASE("a first message that was changed under a right mac, but not its tag, fails") {
  for (const Case& c : cases()) {
    if (!c.access.psk()) continue;  // no tag
    CAPTURE(c.name);
    const Bytes good = messages_of(c.access)[0];
    for (std::size_t byte = 2 + kMacBytes; byte < good.size(); ++byte) {
      Bytes noise = to_bytes(ByteView(good).subspan(2 + kMacBytes));
      noise[byte - 2 - kMacBytes] ^= 1;
      Bytes wire = to_bytes(ByteView(good).first(2));
      append(wire, c.access.mac(noise).view());
      append(wire, noise);
      std::unique_ptr<Handshake> reader;
      CHECK(spoil(c.access, 0, wire, reader).step == HandshakeStep::kFailed);
      CHECK(reader->error()->code == ErrorCode::kBadTag);
    }
  }
}

TEST_CASE("who answers a dial without the secret gets no payload and no key of the session") {
  for (const Case& c : cases()) {
    if (!c.access.psk()) continue;
    CAPTURE(c.name);
    const auto initiator = initiator_of(c.access);
    Bytes wire;
    initiator->start(wire);
    NoiseSetup setup;
    setup.role = Role::kResponder;
    setup.prologue = c.access.prologue();
    setup.static_key = StaticKey(key_of(0x60));
    setup.ephemeral_key = key_of(0x80);
    setup.psk = key_of(0x01);  // no secret of the mesh's
    NoiseHandshake stranger(kNoiseXxPsk3, sha256(), std::move(setup));
    Bytes payload;
    REQUIRE(stranger.read_message(ByteView(wire).subspan(2 + kMacBytes), payload).ok());
    Bytes message;
    REQUIRE(stranger.write_message(as_bytes("come in"), message).ok());
    wire.clear();
    append_be16(wire, static_cast<std::uint16_t>(message.size()));
    append(wire, message);
    // So far he comes, and what he says of himself is his own word.
    REQUIRE(initiator->receive(wire).step == HandshakeStep::kAnswer);
    CHECK(*initiator->peer_key() == public_key(key_of(0x60)));
    wire.clear();
    REQUIRE(initiator->answer(as_bytes(kThirdPayload), wire) == HandshakeStep::kDone);
    payload.clear();
    const Status read = stranger.read_message(ByteView(wire).subspan(2), payload);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().code == ErrorCode::kBadTag);
    CHECK(payload.empty());
  }
}

TEST_CASE("messages 2 and 3 with any one byte flipped, or cut, give neither session nor payload") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    const std::vector<Bytes> good = messages_of(c.access);
    for (std::size_t at : {1U, 2U}) {
      CAPTURE(at);
      std::unique_ptr<Handshake> reader;
      for (std::size_t byte = 0; byte < good[at].size(); ++byte) {
        CAPTURE(byte);
        Bytes wire = good[at];
        wire[byte] ^= 0x01;
        auto received = spoil(c.access, at, wire, reader);
        // A length that became greater: more is waited for.
        if (received.step == HandshakeStep::kMore) received = reader->receive(Bytes(65535));
        CHECK(received.step == HandshakeStep::kFailed);
        CHECK(reader->payload().empty());
        CHECK_FALSE(reader->peer_key().has_value());
        CHECK(reader->receive(good[at]).step == HandshakeStep::kFailed);
      }
      for (std::size_t size = 2; size < good[at].size(); ++size) {
        // Short of the end nothing happens; with a length that says so, it is refused.
        CHECK(spoil(c.access, at, ByteView(good[at]).first(size), reader).step ==
              HandshakeStep::kMore);
        CHECK(reader->payload().empty());
        Bytes wire;
        append_be16(wire, static_cast<std::uint16_t>(size - 2));
        append(wire, ByteView(good[at]).subspan(2, size - 2));
        CHECK(spoil(c.access, at, wire, reader).step == HandshakeStep::kFailed);
      }
    }
  }
}

TEST_CASE("two ends of one role, and an end that hears itself, have no session") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    const std::vector<Bytes> good = messages_of(c.access);
    std::unique_ptr<Handshake> reader;
    CHECK(spoil(c.access, 1, good[0], reader).step == HandshakeStep::kFailed);
    CHECK(spoil(c.access, 1, good[2], reader).step == HandshakeStep::kFailed);
    CHECK(spoil(c.access, 0, good[1], reader).step == HandshakeStep::kSilence);
    CHECK(spoil(c.access, 0, good[2], reader).step == HandshakeStep::kSilence);
    CHECK(spoil(c.access, 2, good[0], reader).step == HandshakeStep::kFailed);
    CHECK(spoil(c.access, 2, good[1], reader).step == HandshakeStep::kFailed);
  }
}

TEST_CASE("a recorded handshake opens no session with other ephemeral keys") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    const std::vector<Bytes> good = messages_of(c.access);
    const auto responder = Handshake::responder(accepting(c.access),
                                                {responder_keys().static_key.copy(), key_of(0x99)});
    REQUIRE(responder->receive(good[0]).step == HandshakeStep::kAnswer);
    Bytes out;
    REQUIRE(responder->answer({}, out) == HandshakeStep::kMore);
    CHECK(responder->receive(good[2]).step == HandshakeStep::kFailed);
    const auto initiator =
        Handshake::initiator(c.access, {initiator_keys().static_key.copy(), key_of(0x99)});
    initiator->start(out);
    CHECK(initiator->receive(good[1]).step == HandshakeStep::kFailed);
  }
}

TEST_CASE("a payload of a handshake has at most 8 KiB") {
  for (const Case& c : cases()) {
    CAPTURE(c.name);
    const auto initiator = initiator_of(c.access);
    const auto responder = responder_of({&c.access, 1});
    Bytes wire;
    initiator->start(wire);
    REQUIRE(responder->receive(wire).step == HandshakeStep::kAnswer);
    Bytes second;
    const Bytes payload(limits::kHandshakePayloadBytes, 7);
    REQUIRE(responder->answer(payload, second) == HandshakeStep::kMore);
    CHECK(second.size() == 2 + 8288);
    REQUIRE(initiator->receive(second).step == HandshakeStep::kAnswer);
    CHECK(equal(initiator->payload(), payload));
    Bytes third;
    REQUIRE(initiator->answer(payload, third) == HandshakeStep::kDone);
    CHECK(third.size() == 2 + 8256);
    // One more is refused by its length alone.
    Bytes larger;
    append_be16(larger, 8257);
    const auto refused = responder->receive(larger);
    CHECK(refused.step == HandshakeStep::kFailed);
    CHECK(responder->error()->code == ErrorCode::kTooLarge);
  }
}
