// X25519 keys: the public part of a secret one, and what two of them have in common.
//
// Ownership: secret keys are erased with their owner.
// Errors:    diffie_hellman: kMalformed for a public key of low order, all zeroes among them;
//            nothing is then handed out.
// Threads:   pure functions and values; any thread.
// Source:    libsodium crypto_scalarmult (RFC 7748)
#pragma once

#include <utility>

#include "channel/secret.h"
#include "core/bytes.h"
#include "core/result.h"

namespace ebb::channel {

using PublicKey = FixedBytes<32, struct PublicKeyTag>;

PublicKey public_key(const Key& secret);

// A secret key with its public part, which costs as much as a Diffie-Hellman result: once for all
// handshakes of a device.
class StaticKey {
 public:
  StaticKey() = default;
  explicit StaticKey(Key secret) : secret_(std::move(secret)), public_(public_key(secret_)) {}
  StaticKey copy() const {
    StaticKey same;
    same.secret_ = secret_.copy();
    same.public_ = public_;
    return same;
  }
  const Key& secret() const { return secret_; }
  const PublicKey& public_part() const { return public_; }
  void erase() { secret_.erase(); }

 private:
  Key secret_;
  PublicKey public_;
};

Result<Key> diffie_hellman(const Key& secret, const PublicKey& other);

}  // namespace ebb::channel
