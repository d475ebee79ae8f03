#include "trust/identity.h"

#include <sodium.h>

#include "core/check.h"

namespace ebb::trust {

static_assert(kSeedBytes == crypto_sign_SEEDBYTES);
static_assert(DeviceId::kSize == crypto_sign_PUBLICKEYBYTES);
static_assert(Signature::kSize == crypto_sign_BYTES);

Result<std::unique_ptr<Identity>> Identity::from_seed(ByteView seed) {
  if (seed.size() != kSeedBytes) {
    return Error{ErrorCode::kInvalidArgument, "key seed is not of 32 bytes"};
  }
  std::unique_ptr<Identity> identity(new Identity());
  static_assert(sizeof identity->secret_ == crypto_sign_SECRETKEYBYTES);
  EBB_CHECK(crypto_sign_seed_keypair(identity->device_.data.data(), identity->secret_.data(),
                                     seed.data()) == 0);
  return identity;
}

Identity::~Identity() { sodium_memzero(secret_.data(), secret_.size()); }

Signature Identity::sign(ByteView message) const {
  Signature signature;
  EBB_CHECK(crypto_sign_detached(signature.data.data(), nullptr, message.data(), message.size(),
                                 secret_.data()) == 0);
  return signature;
}

bool verify(const DeviceId& device, ByteView message, const Signature& signature) {
  return crypto_sign_verify_detached(signature.data.data(), message.data(), message.size(),
                                     device.data.data()) == 0;
}

}  // namespace ebb::trust
