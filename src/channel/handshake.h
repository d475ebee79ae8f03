// Handshake: one end of the handshake that a stream between two nodes begins with. Bytes in, bytes
// out, and at its end the keys of stream and datagrams. It has no socket, no clock and no source of
// random bytes, and says nothing of what the payloads mean.
//
// Model:     who dialled starts; then each end answers what the other has sent, with a payload that
//            its caller chooses when it has seen the other's. Three messages in all.
//              initiator: start, receive -> kAnswer, answer -> kDone
//              responder: receive -> kAnswer, answer -> kMore, receive -> kDone
//            Between kAnswer and answer a responder asks its HandshakeGate, for answer computes the
//            first Diffie-Hellman results.
// Proof:     an initiator at kAnswer knows that the other end has the secret part of peer_key() and
//            is there now, and no more: message 2 has no mac, and the psk goes in with message 3.
//            Anybody who knows the mesh id and answers the dial comes that far, and answer() shows
//            him our static key, without a psk our payload too. What the caller can check before
//            answer() is peer_key(), where it knows whose it has to be (an invite names it), and
//            the proof of a device key in the payload; a certificate there proves nothing yet, for
//            anybody can repeat it. That the other end knows the secret, an initiator knows with
//            the first record or datagram that opens; a responder at kDone.
// Ownership: keys are erased when they have been used up, and with it; so are payloads. A
//            responder asks for the access keys while a first message comes, and keeps what it
//            needs of the one that fits: they may change between its calls.
// Errors:    kSilence: what came has not the mac; nothing was sent, and nothing may be. kFailed:
// what
//            came behind it does not read (error() tells, for a log); nothing more may be sent.
//            Both are final, and hand out neither payload nor key.
// Limits:    keeps at most one message of what was received; a payload has at most
//            limits::kHandshakePayloadBytes. Time is the caller's: limits::kHandshakeMs.
// Threads:   not thread-safe; owned by its link.
// Spec:      docs/wire_format.md section 12
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "channel/access_key.h"
#include "channel/noise_handshake.h"
#include "core/bytes.h"
#include "core/result.h"

namespace ebb::channel {

struct HandshakeKeys {
  StaticKey static_key;  // the device's link key
  Key ephemeral_key;     // 32 random bytes, for this handshake alone
};

// What both ends have in common behind the handshake.
struct SessionKeys {
  KeyPair stream;
  KeyPair datagrams;
};

enum class HandshakeStep : std::uint8_t { kMore, kAnswer, kDone, kSilence, kFailed };

class Handshake {
 public:
  ~Handshake() { erase_bytes(payload_); }
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;

  static std::unique_ptr<Handshake> initiator(const AccessKey& access, HandshakeKeys keys);
  // Whoever has made its first message with one of these is answered. At most two of the mesh (its
  // secret, and the one that it replaces) and limits::kInvitesTried of invites (checked).
  static std::unique_ptr<Handshake> responder(AcceptedKeys accepted, HandshakeKeys keys);

  // The first bytes of an initiator; once.
  void start(Bytes& wire_out);

  struct Received {
    HandshakeStep step = HandshakeStep::kMore;
    std::size_t taken = 0;  // of `wire`; what is behind belongs to what comes next
  };
  Received receive(ByteView wire);
  // After kAnswer, once (checked, as is the size of the payload).
  HandshakeStep answer(ByteView payload, Bytes& wire_out);

  // Of the message that was received last; valid until the next call.
  ByteView payload() const { return payload_; }
  // The other end's static key; behind kAnswer at the initiator and kDone at the responder.
  const std::optional<PublicKey>& peer_key() const;
  // Which of the accepted keys the other end has used; behind kAnswer at the responder.
  std::size_t accepted_index() const { return accepted_index_; }
  // The hash of all messages so far: what a device signs to prove its key in this handshake.
  const Bytes& transcript() const;
  // After kDone, once (checked).
  SessionKeys take_keys();
  const std::optional<Error>& error() const { return error_; }

 private:
  explicit Handshake(Role role, HandshakeKeys keys) : role_(role), keys_(std::move(keys)) {}
  void use(const AccessKey& access);
  HandshakeStep take_message(ByteView message);
  HandshakeStep take_first(ByteView message);
  bool is_possible(std::size_t size) const;
  HandshakeStep settle(HandshakeStep step);
  HandshakeStep fail(Error error);

  Role role_;
  HandshakeKeys keys_;               // until the access key is known
  AcceptedKeys accepted_;            // of a responder, until one of them fits
  std::optional<AccessKey> access_;  // of an initiator, until it has started
  std::optional<NoiseHandshake> noise_;
  HandshakeStep step_ = HandshakeStep::kMore;
  std::size_t accepted_index_ = 0;
  Bytes buffer_;  // a message that has begun
  Bytes payload_;
  std::optional<Error> error_;
};

}  // namespace ebb::channel
