// Public keys of X25519 whose product with any secret key is zero, and an initiator that sends one.
//
// Threads: not thread-safe.
#pragma once

#include <vector>

#include "channel/noise_keys.h"
#include "channel/symmetric_state.h"
#include "tests/channel/noise_vectors.h"

namespace ebb::tests {

// Points of order 1, 2, 4 and 8 on the curve and its twist, in each encoding of 32 bytes: also
// those not reduced, and with the bit that X25519 ignores.
std::vector<channel::PublicKey> low_order_keys();

// Speaks XX rightly but for its static public key, whose secret nobody has.
class FalseInitiator {
 public:
  FalseInitiator(const NoiseVector& vector, const channel::PublicKey& static_key);
  Bytes first();
  Bytes third(ByteView second);

 private:
  channel::Key ephemeral_;
  channel::PublicKey static_key_;
  channel::SymmetricState state_;
};

}  // namespace ebb::tests
