#include "channel/noise_keys.h"

#include <sodium.h>

#include "core/check.h"

namespace ebb::channel {

static_assert(Key::kSize == crypto_scalarmult_SCALARBYTES);
static_assert(Key::kSize == crypto_scalarmult_BYTES && PublicKey::kSize == crypto_scalarmult_BYTES);

PublicKey public_key(const Key& secret) {
  PublicKey key;
  EBB_CHECK(crypto_scalarmult_base(key.data.data(), secret.data()) == 0);
  return key;
}

Result<Key> diffie_hellman(const Key& secret, const PublicKey& other) {
  Key common;
  if (crypto_scalarmult(common.data(), secret.data(), other.data.data()) != 0) {
    return Error{ErrorCode::kMalformed, "noise: a public key of low order"};
  }
  return common;
}

}  // namespace ebb::channel
