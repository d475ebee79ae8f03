// BLAKE2b-256 and random bytes, from libsodium.
//
// Threads: pure functions; any thread, after crypto_ready().
// Spec:    docs/wire_format.md section 1
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"

namespace ebb::trust {

// Initialises libsodium; idempotent. kUnsupported when the library that runs is older than 1.0.18
// or does not start.
Status crypto_ready();
// Whether the library's interface of this number is that of 1.0.18 or newer.
bool is_supported_sodium(int major, int minor);

// H of the parts joined.
Hash hash(std::initializer_list<ByteView> parts);
inline Hash hash(ByteView bytes) { return hash({bytes}); }

// SipHash-2-4, for tables whose keys others choose; to know it one has to know the key.
using ShortHashKey = std::array<std::uint8_t, 16>;
ShortHashKey short_hash_key();  // a new one, from the operating system
std::uint64_t short_hash(ByteView bytes, const ShortHashKey& key);

// Bytes from the operating system's generator; for keys, ids and epochs. Not for the simulator,
// which passes its own.
void random_bytes(std::uint8_t* out, std::size_t size);
std::uint64_t random_u64();

}  // namespace ebb::trust
