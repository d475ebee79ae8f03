// The known answers of tests/vectors/noise.json, and the two ends of a handshake made of one.
//
// Errors:  stops the program when the file is not of its form.
// Threads: not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "channel/noise_handshake.h"
#include "core/bytes.h"

namespace ebb::tests {

struct NoiseMessage {
  Bytes payload;
  Bytes ciphertext;  // the whole message
};

// What one end is made of. Changed by tests that want it to be wrong.
struct NoiseEnd {
  channel::Role role = channel::Role::kInitiator;
  Bytes prologue;
  Bytes static_key;
  Bytes ephemeral_key;
  Bytes remote_static;  // empty: not known
  Bytes psk;            // empty: none
};

struct NoiseVector {
  std::string protocol_name;
  std::string source;
  NoiseEnd initiator;
  NoiseEnd responder;
  Bytes handshake_hash;  // empty: not told
  std::vector<NoiseMessage> messages;

  const channel::NoisePattern& pattern() const;
  const channel::NoiseHash& hash() const;
  std::size_t handshake_messages() const { return pattern().messages.size(); }
  std::string label() const { return protocol_name + " of " + source; }
};

std::vector<NoiseVector> noise_vectors();

channel::NoiseHandshake handshake_of(const NoiseVector& vector, const NoiseEnd& end);

}  // namespace ebb::tests
