#include "trust/hash.h"

#include <sodium.h>

#include <tuple>

#include "core/check.h"

namespace ebb::trust {

bool is_supported_sodium(int major, int minor) {
  // 1.0.18 calls its interface 10.3.
  return major > 10 || (major == 10 && minor >= 3);
}

Status crypto_ready() {
  const int major = sodium_library_version_major();
  const int minor = sodium_library_version_minor();
  if (!is_supported_sodium(major, minor)) {
    return Error{ErrorCode::kUnsupported, "libsodium is older than 1.0.18",
                 sodium_version_string()};
  }
  if (sodium_init() < 0) return Error{ErrorCode::kUnsupported, "libsodium does not start"};
  return {};
}

Hash hash(std::initializer_list<ByteView> parts) {
  Hash result;
  std::uint8_t* const out = result.data.data();
  if (parts.size() == 1) {
    const ByteView bytes = *parts.begin();
    EBB_CHECK(crypto_generichash(out, Hash::kSize, bytes.data(), bytes.size(), nullptr, 0) == 0);
    return result;
  }
  crypto_generichash_state state;
  EBB_CHECK(crypto_generichash_init(&state, nullptr, 0, Hash::kSize) == 0);
  for (ByteView part : parts) {
    EBB_CHECK(crypto_generichash_update(&state, part.data(), part.size()) == 0);
  }
  EBB_CHECK(crypto_generichash_final(&state, out, Hash::kSize) == 0);
  return result;
}

ShortHashKey short_hash_key() {
  ShortHashKey key{};
  random_bytes(key.data(), key.size());
  return key;
}

std::uint64_t short_hash(ByteView bytes, const ShortHashKey& key) {
  static_assert(crypto_shorthash_KEYBYTES == std::tuple_size_v<ShortHashKey>);
  std::uint64_t out = 0;
  static_assert(crypto_shorthash_BYTES == sizeof out);
  crypto_shorthash(reinterpret_cast<std::uint8_t*>(&out), bytes.data(), bytes.size(), key.data());
  return out;
}

void random_bytes(std::uint8_t* out, std::size_t size) { randombytes_buf(out, size); }

std::uint64_t random_u64() {
  std::uint64_t value = 0;
  randombytes_buf(&value, sizeof value);
  return value;
}

}  // namespace ebb::trust
