// Keys do not stay in the memory of what has used them up.
#include <doctest/doctest.h>

#include <algorithm>
#include <new>

#include "channel/cipher_state.h"
#include "channel/noise_handshake.h"
#include "channel/secret.h"
#include "tests/channel/ends.h"
#include "tests/codec/allocation_peak.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::channel;
using namespace ebb::tests;

namespace {

bool holds(ByteView memory, ByteView key) {
  return std::search(memory.begin(), memory.end(), key.begin(), key.end()) != memory.end();
}

// A place whose bytes can be looked at, also when nothing lives there any more.
template <class T>
class Place {
 public:
  template <class... Arguments>
  T& make(Arguments&&... arguments) {
    return *new (bytes_) T(std::forward<Arguments>(arguments)...);
  }
  ByteView memory() const { return {bytes_, sizeof bytes_}; }

 private:
  alignas(T) unsigned char bytes_[sizeof(T)] = {};
};

template <class T>
ByteView memory_of(const T& value) {
  return {reinterpret_cast<const std::uint8_t*>(&value), sizeof value};
}

// What both ends of ends.h have agreed on after so many messages of XXpsk3, computed without them.
struct Agreed {
  Key chaining_key;
  Key cipher_key;

  void mix(ByteView input) {
    const HkdfOutput output = hkdf(sha256(), chaining_key.view(), input);
    chaining_key = *Key::from(output.first.view().first(32));
    cipher_key = *Key::from(output.second.view().first(32));
  }
  void mix_psk(const Key& psk) {
    const HkdfOutput output = hkdf(sha256(), chaining_key.view(), psk.view(), HkdfOutputs::kThree);
    chaining_key = *Key::from(output.first.view().first(32));
    cipher_key = *Key::from(output.third.view().first(32));
  }
};

Agreed agreed_after(std::size_t messages, const Key& psk) {
  const HandshakeKeys one = initiator_keys();
  const HandshakeKeys two = responder_keys();
  const PublicKey ephemeral_one = public_key(one.ephemeral_key);
  const PublicKey ephemeral_two = public_key(two.ephemeral_key);
  Agreed agreed;
  sha256().hash({as_bytes("Noise_XXpsk3_25519_ChaChaPoly_SHA256")}, agreed.chaining_key.data());
  agreed.mix(ephemeral_one.view());
  if (messages == 1) return agreed;
  agreed.mix(ephemeral_two.view());
  agreed.mix(diffie_hellman(one.ephemeral_key, ephemeral_two)->view());
  agreed.mix(diffie_hellman(one.ephemeral_key, two.static_key.public_part())->view());
  if (messages == 2) return agreed;
  agreed.mix(diffie_hellman(one.static_key.secret(), ephemeral_two)->view());
  agreed.mix_psk(psk);
  return agreed;
}

NoiseSetup setup_of(const Key& psk) {
  NoiseSetup setup;
  setup.role = Role::kInitiator;
  setup.static_key = initiator_keys().static_key.copy();
  setup.ephemeral_key = initiator_keys().ephemeral_key.copy();
  setup.psk = psk.copy();
  return setup;
}

}  // namespace

TEST_CASE("a secret is gone from where it was moved from, erased or destroyed") {
  const Key key = key_of(0x10);
  Place<Key> from;
  Place<Key> to;
  Key& first = from.make(key.copy());
  CHECK(holds(from.memory(), key.view()));
  Key& second = to.make(std::move(first));
  CHECK_FALSE(holds(from.memory(), key.view()));
  CHECK(holds(to.memory(), key.view()));
  second.~Key();
  CHECK_FALSE(holds(to.memory(), key.view()));
  Key& third = from.make(key.copy());
  third.erase();
  CHECK_FALSE(holds(from.memory(), key.view()));
  third = key.copy();
  CHECK(holds(from.memory(), key.view()));
  third.~Key();
}

TEST_CASE("a cipher's key is gone after a rekey, an erasure and its end") {
  REQUIRE(trust::crypto_ready().ok());
  const Key key = key_of(0x10);
  Place<CipherState> place;
  CipherState& cipher = place.make(key.copy());
  CHECK(holds(place.memory(), key.view()));
  cipher.rekey();
  CHECK_FALSE(holds(place.memory(), key.view()));
  cipher = CipherState(key.copy());
  CHECK(holds(place.memory(), key.view()));
  cipher.erase();
  CHECK_FALSE(cipher.has_key());
  CHECK_FALSE(holds(place.memory(), key.view()));
  cipher = CipherState(key.copy());
  cipher.~CipherState();
  CHECK_FALSE(holds(place.memory(), key.view()));
}

TEST_CASE("a Noise handshake that has failed or was erased has no key any more") {
  REQUIRE(trust::crypto_ready().ok());
  const Key psk = key_of(0xa0);
  const HandshakeKeys keys = initiator_keys();
  const Agreed agreed = agreed_after(1, psk);
  Place<NoiseHandshake> place;
  for (const bool fails : {true, false}) {
    CAPTURE(fails);
    NoiseHandshake& handshake = place.make(kNoiseXxPsk3, sha256(), setup_of(psk));
    Bytes out;
    REQUIRE(handshake.write_message({}, out).ok());
    for (const Key* key : {&keys.static_key.secret(), &keys.ephemeral_key, &psk,
                           &agreed.chaining_key, &agreed.cipher_key})
      CHECK(holds(place.memory(), key->view()));
    if (fails) {
      CHECK_FALSE(handshake.read_message({}, out).ok());
    } else {
      handshake.erase();
    }
    for (const Key* key : {&keys.static_key.secret(), &keys.ephemeral_key, &psk,
                           &agreed.chaining_key, &agreed.cipher_key})
      CHECK_FALSE(holds(place.memory(), key->view()));
    handshake.~NoiseHandshake();
  }
}

TEST_CASE("a handshake has no key any more once its keys were taken, or it was silent") {
  REQUIRE(trust::crypto_ready().ok());
  const AccessKey access = AccessKey::for_link(kMesh, kMeshSecret);
  const auto initiator = Handshake::initiator(access, initiator_keys());
  const auto responder = Handshake::responder(accepting(access), responder_keys());
  const auto silent = Handshake::responder(accepting(access), responder_keys());
  const HandshakeKeys one = initiator_keys();
  const HandshakeKeys two = responder_keys();
  const std::optional<Key> psk = access.psk();
  const Agreed agreed = agreed_after(3, *psk);
  CHECK(holds(memory_of(*silent), two.static_key.secret().view()));
  speak(*initiator, *responder);
  for (const Key* key : {&one.static_key.secret(), &one.ephemeral_key, &*psk, &agreed.chaining_key,
                         &agreed.cipher_key})
    CHECK(holds(memory_of(*initiator), key->view()));
  for (const Key* key : {&two.static_key.secret(), &two.ephemeral_key, &*psk, &agreed.chaining_key,
                         &agreed.cipher_key})
    CHECK(holds(memory_of(*responder), key->view()));
  initiator->take_keys();
  responder->take_keys();
  CHECK(silent->receive(as_bytes("GET /")).step == HandshakeStep::kSilence);
  for (const Key* key : {&one.static_key.secret(), &one.ephemeral_key, &two.static_key.secret(),
                         &two.ephemeral_key, &*psk, &agreed.chaining_key, &agreed.cipher_key}) {
    for (const auto* handshake : {&initiator, &responder, &silent})
      CHECK_FALSE(holds(memory_of(**handshake), key->view()));
  }
}

TEST_CASE("a handshake has no key any more once a length was none that there is") {
  REQUIRE(trust::crypto_ready().ok());
  const AccessKey access = AccessKey::for_link(kMesh, kMeshSecret);
  const auto initiator = Handshake::initiator(access, initiator_keys());
  const auto responder = Handshake::responder(accepting(access), responder_keys());
  Bytes wire;
  initiator->start(wire);
  REQUIRE(responder->receive(wire).step == HandshakeStep::kAnswer);
  wire.clear();
  REQUIRE(responder->answer({}, wire) == HandshakeStep::kMore);
  const HandshakeKeys one = initiator_keys();
  const HandshakeKeys two = responder_keys();
  const std::optional<Key> psk = access.psk();
  const Agreed first = agreed_after(1, *psk);
  const Agreed second = agreed_after(2, *psk);
  for (const Key* key : {&one.static_key.secret(), &one.ephemeral_key, &*psk, &first.chaining_key,
                         &first.cipher_key})
    CHECK(holds(memory_of(*initiator), key->view()));
  for (const Key* key : {&two.static_key.secret(), &two.ephemeral_key, &*psk, &second.chaining_key,
                         &second.cipher_key})
    CHECK(holds(memory_of(*responder), key->view()));
  const Bytes length(2, 0xff);
  CHECK(initiator->receive(length).step == HandshakeStep::kFailed);
  CHECK(responder->receive(length).step == HandshakeStep::kFailed);
  for (const Key* key :
       {&one.static_key.secret(), &one.ephemeral_key, &two.static_key.secret(), &two.ephemeral_key,
        &*psk, &first.chaining_key, &first.cipher_key, &second.chaining_key, &second.cipher_key}) {
    CHECK_FALSE(holds(memory_of(*initiator), key->view()));
    CHECK_FALSE(holds(memory_of(*responder), key->view()));
  }
}

TEST_CASE("no payload of a handshake is left in memory that it has given back") {
  REQUIRE(trust::crypto_ready().ok());
  {
    // That it would be found.
    const GivenBack given_back(as_bytes(kSecondPayload));
    to_bytes(as_bytes(kSecondPayload));
    REQUIRE(given_back.blocks() == 1);
  }
  const AccessKey access = AccessKey::for_link(kMesh, kMeshSecret);
  auto initiator = Handshake::initiator(access, initiator_keys());
  auto responder = Handshake::responder(accepting(access), responder_keys());
  speak(*initiator, *responder);
  {
    const GivenBack given_back(as_bytes(kSecondPayload));
    CHECK(as_text(initiator->payload()) == kSecondPayload);
    initiator.reset();
    CHECK(given_back.blocks() == 0);
  }
  const GivenBack given_back(as_bytes(kThirdPayload));
  CHECK(as_text(responder->payload()) == kThirdPayload);
  responder.reset();
  CHECK(given_back.blocks() == 0);
}
