#include "trust/hash.h"

#include <sodium.h>

#include "core/check.h"

namespace ebb::trust {

Status crypto_ready() {
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

void random_bytes(std::uint8_t* out, std::size_t size) { randombytes_buf(out, size); }

std::uint64_t random_u64() {
  std::uint64_t value = 0;
  randombytes_buf(&value, sizeof value);
  return value;
}

}  // namespace ebb::trust
