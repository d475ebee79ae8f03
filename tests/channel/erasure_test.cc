// Keys do not stay in the memory of what has used them up.
#include <doctest/doctest.h>

#include <algorithm>
#include <new>

#include "channel/cipher_state.h"
#include "channel/noise_handshake.h"
#include "channel/secret.h"
#include "tests/channel/ends.h"
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
  Place<NoiseHandshake> place;
  for (const bool fails : {true, false}) {
    CAPTURE(fails);
    NoiseHandshake& handshake = place.make(kNoiseXxPsk3, sha256(), setup_of(psk));
    for (const Key* key : {&keys.static_key.secret(), &keys.ephemeral_key, &psk})
      CHECK(holds(place.memory(), key->view()));
    if (fails) {
      Bytes out;
      CHECK_FALSE(handshake.read_message({}, out).ok());
    } else {
      handshake.erase();
    }
    for (const Key* key : {&keys.static_key.secret(), &keys.ephemeral_key, &psk})
      CHECK_FALSE(holds(place.memory(), key->view()));
    handshake.~NoiseHandshake();
  }
}

TEST_CASE("a handshake has no key any more once its keys were taken, or it was silent") {
  REQUIRE(trust::crypto_ready().ok());
  const AccessKey access = AccessKey::for_link(kMesh, kMeshSecret);
  const auto initiator = Handshake::initiator(access, initiator_keys());
  const auto responder = Handshake::responder({&access, 1}, responder_keys());
  const auto silent = Handshake::responder({&access, 1}, responder_keys());
  const HandshakeKeys one = initiator_keys();
  const HandshakeKeys two = responder_keys();
  CHECK(holds(memory_of(*initiator), one.static_key.secret().view()));
  CHECK(holds(memory_of(*responder), two.ephemeral_key.view()));
  CHECK(holds(memory_of(*silent), two.static_key.secret().view()));
  speak(*initiator, *responder);
  const SessionKeys keys = initiator->take_keys();
  responder->take_keys();
  CHECK(silent->receive(as_bytes("GET /")).step == HandshakeStep::kSilence);
  const std::optional<Key> psk = access.psk();
  for (const Key* key :
       {&one.static_key.secret(), &one.ephemeral_key, &two.static_key.secret(), &two.ephemeral_key,
        &*psk, &keys.stream.from_initiator, &keys.datagrams.from_responder}) {
    for (const auto* handshake : {&initiator, &responder, &silent})
      CHECK_FALSE(holds(memory_of(**handshake), key->view()));
  }
}

TEST_CASE("a handshake has no key any more once a length was none that there is") {
  REQUIRE(trust::crypto_ready().ok());
  const AccessKey access = AccessKey::for_link(kMesh, kMeshSecret);
  const auto initiator = Handshake::initiator(access, initiator_keys());
  const auto responder = Handshake::responder({&access, 1}, responder_keys());
  Bytes wire;
  initiator->start(wire);
  REQUIRE(responder->receive(wire).step == HandshakeStep::kAnswer);
  wire.clear();
  REQUIRE(responder->answer({}, wire) == HandshakeStep::kMore);
  const HandshakeKeys one = initiator_keys();
  const HandshakeKeys two = responder_keys();
  const std::optional<Key> psk = access.psk();
  CHECK(holds(memory_of(*initiator), one.ephemeral_key.view()));
  CHECK(holds(memory_of(*responder), psk->view()));
  const Bytes length(2, 0xff);
  CHECK(initiator->receive(length).step == HandshakeStep::kFailed);
  CHECK(responder->receive(length).step == HandshakeStep::kFailed);
  for (const Key* key : {&one.static_key.secret(), &one.ephemeral_key, &two.static_key.secret(),
                         &two.ephemeral_key, &*psk}) {
    CHECK_FALSE(holds(memory_of(*initiator), key->view()));
    CHECK_FALSE(holds(memory_of(*responder), key->view()));
  }
}
