#include "channel/noise_hash.h"

#include <sodium.h>

#include "core/check.h"

namespace ebb::channel {
namespace {

class Sha256 final : public NoiseHash {
 public:
  std::string_view name() const override { return "SHA256"; }
  std::size_t size() const override { return crypto_hash_sha256_BYTES; }

  void hash(std::initializer_list<ByteView> parts, std::uint8_t* out) const override {
    crypto_hash_sha256_state state;
    crypto_hash_sha256_init(&state);
    for (ByteView part : parts)
      crypto_hash_sha256_update(&state, part.data(), part.size());
    crypto_hash_sha256_final(&state, out);
    sodium_memzero(&state, sizeof state);
  }

  void hmac(ByteView key, std::initializer_list<ByteView> parts, std::uint8_t* out) const override {
    crypto_auth_hmacsha256_state state;
    crypto_auth_hmacsha256_init(&state, key.data(), key.size());
    for (ByteView part : parts)
      crypto_auth_hmacsha256_update(&state, part.data(), part.size());
    crypto_auth_hmacsha256_final(&state, out);
    sodium_memzero(&state, sizeof state);
  }
};

}  // namespace

const NoiseHash& sha256() {
  static const Sha256 kInstance;
  return kInstance;
}

HkdfOutput hkdf(const NoiseHash& hash, ByteView chaining_key, ByteView input, HkdfOutputs outputs) {
  const std::size_t size = hash.size();
  EBB_CHECK(size <= kNoiseHashBytesMax && chaining_key.size() == size);
  HashSecret temporary;
  hash.hmac(chaining_key, {input}, temporary.data());
  const ByteView key = temporary.view().first(size);
  static constexpr std::uint8_t kOne = 1;
  static constexpr std::uint8_t kTwo = 2;
  static constexpr std::uint8_t kThree = 3;
  HkdfOutput output;
  hash.hmac(key, {{&kOne, 1}}, output.first.data());
  hash.hmac(key, {output.first.view().first(size), {&kTwo, 1}}, output.second.data());
  if (outputs == HkdfOutputs::kTwo) return output;
  hash.hmac(key, {output.second.view().first(size), {&kThree, 1}}, output.third.data());
  return output;
}

}  // namespace ebb::channel
