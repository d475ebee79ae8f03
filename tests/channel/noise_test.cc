// The Noise handshake against known answers, and against everything that must not work.
#include <doctest/doctest.h>

#include <algorithm>
#include <type_traits>
#include <utility>

#include "channel/cipher_state.h"
#include "tests/channel/low_order.h"
#include "tests/channel/noise_vectors.h"

using namespace ebb;
using namespace ebb::channel;
using ebb::tests::NoiseEnd;
using ebb::tests::NoiseVector;

namespace {

// How far two ends came with what they sent each other.
struct Outcome {
  bool initiator_finished = false;
  bool responder_finished = false;
  std::size_t read = 0;        // messages whose reading succeeded
  std::size_t failed_at = 0;   // message whose reading or writing failed; those there are: none
  std::size_t handed_out = 0;  // bytes of payload out of the message that failed
  bool session() const { return initiator_finished && responder_finished; }
};

// Passes the messages of a handshake from one end to the other; `change` may alter them on the way.
template <class Change>
Outcome run(const NoiseVector& vector, const NoiseEnd& first, const NoiseEnd& second,
            Change change) {
  NoiseHandshake initiator = handshake_of(vector, first);
  NoiseHandshake responder = handshake_of(vector, second);
  Outcome outcome;
  outcome.failed_at = vector.handshake_messages();
  for (std::size_t i = 0; i < vector.handshake_messages(); ++i) {
    NoiseHandshake& writer = i % 2 == 0 ? initiator : responder;
    NoiseHandshake& reader = i % 2 == 0 ? responder : initiator;
    Bytes message;
    Bytes payload;
    if (!writer.write_message(vector.messages[i].payload, message).ok()) {
      CHECK(message.empty());
      CHECK(writer.failed());
      outcome.failed_at = i;
      break;
    }
    change(i, message);
    if (!reader.read_message(message, payload).ok()) {
      CHECK(reader.failed());
      outcome.failed_at = i;
      outcome.handed_out = payload.size();
      // Whatever comes behind it, the rightful message too, is refused.
      CHECK_FALSE(reader.read_message(vector.messages[i].ciphertext, payload).ok());
      CHECK_FALSE(reader.write_message({}, payload).ok());
      CHECK(payload.empty());
      CHECK_FALSE(reader.remote_static().has_value());
      break;
    }
    ++outcome.read;
  }
  outcome.initiator_finished = initiator.finished();
  outcome.responder_finished = responder.finished();
  return outcome;
}

template <class Change>
Outcome run(const NoiseVector& vector, Change change) {
  return run(vector, vector.initiator, vector.responder, change);
}

Outcome run(const NoiseVector& vector, const NoiseEnd& first, const NoiseEnd& second) {
  return run(vector, first, second, [](std::size_t, Bytes&) {});
}

// No session, and nothing of the message that failed.
void check_nothing(const Outcome& outcome, const NoiseVector& vector) {
  CHECK_FALSE(outcome.session());
  CHECK(outcome.failed_at < vector.handshake_messages());
  CHECK(outcome.handed_out == 0);
}

void check_low_order(const Status& status, const NoiseHandshake& handshake) {
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().context == "noise: a public key of low order");
  CHECK(handshake.failed());
  CHECK_FALSE(handshake.remote_static().has_value());
}

void check_transport(const NoiseVector& vector, const KeyPair& keys) {
  CipherState sealing[] = {CipherState(keys.from_initiator.copy()),
                           CipherState(keys.from_responder.copy())};
  CipherState opening[] = {CipherState(keys.from_initiator.copy()),
                           CipherState(keys.from_responder.copy())};
  for (std::size_t i = vector.handshake_messages(); i < vector.messages.size(); ++i) {
    const tests::NoiseMessage& message = vector.messages[i];
    Bytes sealed;
    REQUIRE(sealing[i % 2].encrypt({}, message.payload, sealed).ok());
    CHECK(sealed == message.ciphertext);
    Bytes opened;
    REQUIRE(opening[i % 2].decrypt({}, sealed, opened).ok());
    CHECK(opened == message.payload);
  }
}

void check_vector(const NoiseVector& vector) {
  NoiseHandshake initiator = handshake_of(vector, vector.initiator);
  NoiseHandshake responder = handshake_of(vector, vector.responder);
  for (std::size_t i = 0; i < vector.handshake_messages(); ++i) {
    NoiseHandshake& writer = i % 2 == 0 ? initiator : responder;
    NoiseHandshake& reader = i % 2 == 0 ? responder : initiator;
    CHECK(writer.my_turn());
    CHECK_FALSE(reader.my_turn());
    Bytes message;
    REQUIRE(writer.write_message(vector.messages[i].payload, message).ok());
    CHECK(message == vector.messages[i].ciphertext);
    Bytes payload;
    REQUIRE(reader.read_message(message, payload).ok());
    CHECK(payload == vector.messages[i].payload);
  }
  REQUIRE(initiator.finished());
  REQUIRE(responder.finished());
  CHECK(initiator.transcript() == responder.transcript());
  if (!vector.handshake_hash.empty()) CHECK(initiator.transcript() == vector.handshake_hash);
  CHECK(*initiator.remote_static() == public_key(*Key::from(vector.responder.static_key)));
  CHECK(*responder.remote_static() == public_key(*Key::from(vector.initiator.static_key)));
  check_transport(vector, initiator.derive(""));
  check_transport(vector, responder.derive(""));
}

}  // namespace

TEST_CASE("all 16 known answers of Noise come out, handshake and transport") {
  const auto vectors = tests::noise_vectors();
  REQUIRE(vectors.size() == 16);
  for (const NoiseVector& vector : vectors) {
    CAPTURE(vector.label());
    check_vector(vector);
  }
}

TEST_CASE("a handshake with any one byte flipped makes no session") {
  for (const NoiseVector& vector : tests::noise_vectors()) {
    CAPTURE(vector.label());
    for (std::size_t at = 0; at < vector.handshake_messages(); ++at) {
      for (std::size_t byte = 0; byte < vector.messages[at].ciphertext.size(); ++byte) {
        CAPTURE(at);
        CAPTURE(byte);
        // The highest bit of a public key changes nothing of the key itself.
        for (const unsigned bit : {0x01U, 0x80U}) {
          const auto outcome = run(vector, [&](std::size_t i, Bytes& message) {
            if (i == at) message[byte] = static_cast<std::uint8_t>(message[byte] ^ bit);
          });
          check_nothing(outcome, vector);
          // What no key covers yet is found with the next message; all else at once.
          CHECK(outcome.failed_at <= at + (at == 0 ? 1 : 0));
        }
      }
    }
  }
}

TEST_CASE("a handshake message that is shorter or longer makes no session") {
  for (const NoiseVector& vector : tests::noise_vectors()) {
    CAPTURE(vector.label());
    for (std::size_t at = 0; at < vector.handshake_messages(); ++at) {
      for (std::size_t size = 0; size <= vector.messages[at].ciphertext.size() + 1; ++size) {
        if (size == vector.messages[at].ciphertext.size()) continue;
        CAPTURE(at);
        CAPTURE(size);
        check_nothing(run(vector,
                          [&](std::size_t i, Bytes& message) {
                            if (i == at) message.resize(size);
                          }),
                      vector);
      }
    }
  }
}

TEST_CASE("another prologue, psk or known key at one end makes no session") {
  for (const NoiseVector& vector : tests::noise_vectors()) {
    CAPTURE(vector.label());
    NoiseEnd other = vector.responder;
    other.prologue.push_back(0);
    check_nothing(run(vector, vector.initiator, other), vector);
    other.prologue.clear();
    check_nothing(run(vector, vector.initiator, other), vector);
    if (!vector.responder.psk.empty()) {
      for (std::size_t byte = 0; byte < 32; ++byte) {
        NoiseEnd wrong = vector.responder;
        wrong.psk[byte] ^= 1;
        check_nothing(run(vector, vector.initiator, wrong), vector);
      }
    }
    if (vector.pattern().responder_known) {
      NoiseEnd stranger = vector.responder;
      stranger.static_key[3] ^= 1;
      const auto outcome = run(vector, vector.initiator, stranger);
      check_nothing(outcome, vector);
      CHECK(outcome.failed_at == 0);
    }
  }
}

TEST_CASE("two ends of one role make no session, and nobody reads his own messages") {
  for (const NoiseVector& vector : tests::noise_vectors()) {
    CAPTURE(vector.label());
    Bytes message;
    Bytes payload;
    NoiseHandshake one = handshake_of(vector, vector.initiator);
    NoiseHandshake two = handshake_of(vector, vector.initiator);
    REQUIRE(one.write_message({}, message).ok());
    CHECK_FALSE(two.read_message(message, payload).ok());
    CHECK(two.failed());
    // And what it has sent itself.
    CHECK_FALSE(one.read_message(message, payload).ok());
    CHECK(one.failed());
    NoiseHandshake three = handshake_of(vector, vector.responder);
    message.clear();
    CHECK_FALSE(three.write_message({}, message).ok());
    CHECK(three.failed());
    CHECK(message.empty());
    CHECK(payload.empty());
  }
}

TEST_CASE("an erased handshake has failed, wherever it was, and lets no byte pass") {
  static_assert(!std::is_move_constructible_v<NoiseHandshake>);
  static_assert(!std::is_move_constructible_v<SymmetricState>);
  for (const NoiseVector& vector : tests::noise_vectors()) {
    CAPTURE(vector.label());
    for (std::size_t at = 0; at < vector.handshake_messages(); ++at) {
      CAPTURE(at);
      NoiseHandshake initiator = handshake_of(vector, vector.initiator);
      NoiseHandshake responder = handshake_of(vector, vector.responder);
      Bytes out;
      for (std::size_t i = 0; i < at; ++i) {
        REQUIRE((i % 2 == 0 ? initiator : responder).write_message({}, out).ok());
        const Bytes message = std::exchange(out, {});
        REQUIRE((i % 2 == 0 ? responder : initiator).read_message(message, out).ok());
      }
      NoiseHandshake& writer = at % 2 == 0 ? initiator : responder;
      NoiseHandshake& reader = at % 2 == 0 ? responder : initiator;
      writer.erase();
      reader.erase();
      for (const NoiseHandshake* end : {&writer, &reader}) {
        CHECK(end->failed());
        CHECK_FALSE(end->my_turn());
        CHECK_FALSE(end->finished());
        CHECK_FALSE(end->remote_static().has_value());
      }
      CHECK_FALSE(writer.write_message(as_bytes("secret"), out).ok());
      CHECK_FALSE(reader.read_message(vector.messages[at].ciphertext, out).ok());
      CHECK(out.empty());
    }
  }
}

TEST_CASE("an erased state seals and opens nothing, had it a key or not") {
  const NoiseVector vector = tests::noise_vectors().front();
  for (const bool keyed : {false, true}) {
    CAPTURE(keyed);
    SymmetricState state(vector.protocol_name, vector.hash());
    if (keyed) state.mix_key(Bytes(32, 7));
    CHECK(state.has_key() == keyed);
    Bytes out;
    REQUIRE(state.encrypt_and_hash(as_bytes("x"), out).ok());
    CHECK(out.size() == (keyed ? 1 + kTagBytes : 1));
    out.clear();
    state.erase();
    CHECK(state.encrypt_and_hash(as_bytes("x"), out).error().code == ErrorCode::kInternal);
    CHECK(state.decrypt_and_hash(Bytes(40), out).error().code == ErrorCode::kInternal);
    CHECK(out.empty());
  }
}

TEST_CASE("a Diffie-Hellman result of zero is an error and hands out nothing") {
  const Key secret = *Key::from(tests::noise_vectors().front().initiator.static_key);
  CHECK(tests::low_order_keys().size() >= 12);
  for (const PublicKey& key : tests::low_order_keys()) {
    CAPTURE(to_hex(key.view()));
    const auto common = diffie_hellman(secret, key);
    REQUIRE_FALSE(common.ok());
    CHECK(common.error().code == ErrorCode::kMalformed);
    CHECK(common.error().context == "noise: a public key of low order");
  }
}

TEST_CASE("a public key of low order makes no session, as ephemeral or as static key") {
  // Of an end that does everything else right: with the product being zero, anybody could compute
  // what goes in.
  using tests::FalseEnd;
  std::size_t tried = 0;
  for (const NoiseVector& vector : tests::noise_vectors()) {
    const std::string_view pattern = vector.pattern().name;
    if (pattern != kNoiseXx.name && pattern != kNoiseXxPsk3.name) continue;
    CAPTURE(vector.label());
    for (const PublicKey& key : tests::low_order_keys()) {
      CAPTURE(to_hex(key.view()));
      for (const auto where : {FalseEnd::Where::kEphemeral, FalseEnd::Where::kStatic}) {
        CAPTURE(where == FalseEnd::Where::kStatic);
        Bytes out;
        NoiseHandshake responder = handshake_of(vector, vector.responder);
        FalseEnd first(vector, vector.initiator, where, key);
        REQUIRE(responder.read_message(first.first(), out).ok());
        const Status answered = responder.write_message({}, out);
        if (where == FalseEnd::Where::kEphemeral) {
          check_low_order(answered, responder);
          CHECK(out.empty());
        } else {
          REQUIRE(answered.ok());
          Bytes payload;
          check_low_order(responder.read_message(first.third(out), payload), responder);
          CHECK(payload.empty());
        }
        NoiseHandshake initiator = handshake_of(vector, vector.initiator);
        FalseEnd second(vector, vector.responder, where, key);
        Bytes dialled;
        REQUIRE(initiator.write_message({}, dialled).ok());
        Bytes payload;
        check_low_order(initiator.read_message(second.second(dialled), payload), initiator);
        CHECK(payload.empty());
        if (pattern == kNoiseXxPsk3.name) ++tried;
      }
    }
  }
  CHECK(tried > 0);
}

TEST_CASE("the last number of a cipher is nobody's, and a failed opening uses none") {
  const Key key = *Key::from(tests::noise_vectors().front().initiator.static_key);
  CipherState sealing(key.copy());
  CipherState opening(key.copy());
  Bytes sealed;
  Bytes opened;
  REQUIRE(sealing.encrypt({}, as_bytes("x"), sealed).ok());
  CHECK(opening.decrypt({}, Bytes(20), opened).error().code == ErrorCode::kBadTag);
  CHECK(opening.nonce() == 0);
  REQUIRE(opening.decrypt({}, sealed, opened).ok());
  CHECK(opening.nonce() == 1);
  opened.clear();
  for (CipherState* cipher : {&sealing, &opening})
    cipher->set_nonce(UINT64_MAX - 1);
  sealed.clear();
  REQUIRE(sealing.encrypt({}, as_bytes("x"), sealed).ok());
  REQUIRE(opening.decrypt({}, sealed, opened).ok());
  const Bytes before = sealed;
  CHECK(sealing.encrypt({}, as_bytes("x"), sealed).error().code == ErrorCode::kOutOfRange);
  CHECK(opening.decrypt({}, sealed, opened).error().code == ErrorCode::kOutOfRange);
  CHECK(sealed == before);
  CHECK(as_text(opened) == "x");
}
