// HandshakePayload: what each end of a link says in the message of the handshake that carries its
// link key: which device it is, the proof of that, and which versions of the wire it speaks.
//
// Model:   the proof is a signature of the device over proof_bytes(): so it is good for one
//          handshake, one end of it and one link key. What an end
//          claims beside that (certificate, authority heads, receiver index) is carried as bytes,
//          for others to judge.
// Errors:  kMalformed, kNotCanonical, kTooLarge.
// Limits:  limits::kHandshakePayloadBytes.
// Threads: values and pure functions; any thread.
// Spec:    docs/wire_format.md section 12
#pragma once

#include <cstdint>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"

namespace ebb::codec {

struct HandshakePayload {
  std::uint64_t wire_min = 1;
  std::uint64_t wire_max = 1;
  std::uint64_t features = 0;
  DeviceId device;
  Signature proof;
  std::uint32_t receiver_index = 0;  // of datagrams to the sender; 0: none
  Bytes certificate;                 // as signed; empty: none
  Bytes authority_heads;             // encoded; empty: nothing said
  bool operator==(const HandshakePayload&) const = default;
};

Bytes encode_handshake_payload(const HandshakePayload& payload);
Result<HandshakePayload> decode_handshake_payload(ByteView bytes);

// Which end of the handshake proves its key. DO NOT CHANGE: signed.
enum class HandshakeEnd : std::uint8_t { kInitiator = 1, kResponder = 2 };

// What the device signs: `transcript` is the hash of all messages before the one with the proof,
// `link_key` the static key that this message carries.
Bytes proof_bytes(HandshakeEnd end, ByteView transcript, ByteView link_key);

}  // namespace ebb::codec
