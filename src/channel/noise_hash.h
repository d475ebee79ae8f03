// NoiseHash: the hash function of a Noise protocol, as an argument; and HKDF over it. SHA-256 is
// the product's. Known answers need others, which the tests have.
//
// Units:   sizes in bytes.
// Threads: immutable; any thread, after trust::crypto_ready().
// Spec:    docs/wire_format.md section 12
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string_view>

#include "channel/secret.h"
#include "core/bytes.h"

namespace ebb::channel {

inline constexpr std::size_t kNoiseHashBytesMax = 64;
// Room for the output of any of the hashes.
using HashSecret = Secret<kNoiseHashBytesMax>;

class NoiseHash {
 public:
  virtual ~NoiseHash() = default;
  // As in the name of a protocol: "SHA256".
  virtual std::string_view name() const = 0;
  // 32 or 64: what the two below write to `out`.
  virtual std::size_t size() const = 0;
  // Of the parts joined.
  virtual void hash(std::initializer_list<ByteView> parts, std::uint8_t* out) const = 0;
  // HMAC (RFC 2104) with this hash, of the parts joined.
  virtual void hmac(ByteView key, std::initializer_list<ByteView> parts,
                    std::uint8_t* out) const = 0;
};

const NoiseHash& sha256();

struct HkdfOutput {
  HashSecret first;
  HashSecret second;
  HashSecret third;  // zeroes, of two outputs
};

enum class HkdfOutputs : std::uint8_t { kTwo, kThree };

// Noise's HKDF. Of each output the first hash.size() bytes count.
HkdfOutput hkdf(const NoiseHash& hash, ByteView chaining_key, ByteView input,
                HkdfOutputs outputs = HkdfOutputs::kTwo);

}  // namespace ebb::channel
