// Public keys of X25519 whose product with any secret key is zero, and an end that sends one.
//
// Threads: not thread-safe.
#pragma once

#include <optional>
#include <vector>

#include "channel/noise_keys.h"
#include "channel/symmetric_state.h"
#include "tests/channel/noise_vectors.h"

namespace ebb::tests {

// Points of order 1, 2, 4 and 8 on the curve and its twist, in each encoding of 32 bytes: also
// those not reduced, and with the bit that X25519 ignores.
std::vector<channel::PublicKey> low_order_keys();

// Speaks XX or XXpsk3 rightly, and knows the psk, but for one public key of low order, whose
// products it takes for the zeroes that they would be.
class FalseEnd {
 public:
  enum class Where : std::uint8_t { kEphemeral, kStatic };

  FalseEnd(const NoiseVector& vector, const NoiseEnd& end, Where where,
           const channel::PublicKey& key);
  Bytes first();                 // of an initiator
  Bytes second(ByteView first);  // of a responder
  Bytes third(ByteView second);  // of an initiator whose static key is the false one

 private:
  channel::PublicKey own(Where which) const;
  void mix_ephemeral(const channel::PublicKey& key);
  // Of an own key and one of the other end.
  void mix_product(Where which, const channel::PublicKey& other);
  Bytes open(ByteView sealed);

  channel::Key ephemeral_;
  channel::Key static_key_;
  std::optional<channel::Key> psk_;
  Where where_;
  channel::PublicKey key_;
  channel::SymmetricState state_;
};

}  // namespace ebb::tests
