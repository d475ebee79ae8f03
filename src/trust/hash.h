// BLAKE2b-256 and random bytes, from libsodium.
//
// Threads: pure functions; any thread, after crypto_ready().
// Spec:    docs/wire_format.md section 1
#pragma once

#include <initializer_list>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"

namespace ebb::trust {

// Initialises libsodium; idempotent. kUnsupported when the library is too old or fails.
Status crypto_ready();

// H of the parts joined.
Hash hash(std::initializer_list<ByteView> parts);
inline Hash hash(ByteView bytes) { return hash({bytes}); }

// Bytes from the operating system's generator; for keys, ids and epochs. Not for the simulator,
// which passes its own.
void random_bytes(std::uint8_t* out, std::size_t size);
std::uint64_t random_u64();

}  // namespace ebb::trust
