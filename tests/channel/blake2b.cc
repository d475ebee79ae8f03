#include "tests/channel/blake2b.h"

#include <sodium.h>

#include "core/check.h"

namespace ebb::tests {
namespace {

constexpr std::size_t kBlockBytes = 128;

class Blake2b final : public channel::NoiseHash {
 public:
  std::string_view name() const override { return "BLAKE2b"; }
  std::size_t size() const override { return crypto_generichash_BYTES_MAX; }

  void hash(std::initializer_list<ByteView> parts, std::uint8_t* out) const override {
    crypto_generichash_state state;
    crypto_generichash_init(&state, nullptr, 0, size());
    for (ByteView part : parts)
      crypto_generichash_update(&state, part.data(), part.size());
    crypto_generichash_final(&state, out, size());
  }

  // HMAC of RFC 2104 over the unkeyed hash.
  void hmac(ByteView key, std::initializer_list<ByteView> parts, std::uint8_t* out) const override {
    EBB_CHECK(key.size() <= kBlockBytes);
    Bytes inner(kBlockBytes, 0x36);
    Bytes outer(kBlockBytes, 0x5c);
    for (std::size_t i = 0; i < key.size(); ++i) {
      inner[i] ^= key[i];
      outer[i] ^= key[i];
    }
    for (ByteView part : parts)
      append(inner, part);
    Bytes digest(size());
    hash({inner}, digest.data());
    hash({outer, digest}, out);
  }
};

}  // namespace

const channel::NoiseHash& blake2b() {
  static const Blake2b kInstance;
  return kInstance;
}

}  // namespace ebb::tests
