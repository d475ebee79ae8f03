// X25519 keys: the public part of a secret one, and what two of them have in common.
//
// Errors:  diffie_hellman: kMalformed for a public key of low order, all zeroes among them; nothing
//          is then handed out.
// Threads: pure functions; any thread.
// Source:  libsodium crypto_scalarmult (RFC 7748)
#pragma once

#include "channel/secret.h"
#include "core/bytes.h"
#include "core/result.h"

namespace ebb::channel {

using PublicKey = FixedBytes<32, struct PublicKeyTag>;

PublicKey public_key(const Key& secret);
Result<Key> diffie_hellman(const Key& secret, const PublicKey& other);

}  // namespace ebb::channel
