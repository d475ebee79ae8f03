// CipherState: a key with the number of its next use, as in the Noise Protocol Framework, for
// ChaCha20-Poly1305. Who wants numbers out of order (datagrams) sets them.
//
// Model:     nonces start at 0 and 2^64 - 1 is Noise's own. A state without a key, such as one that
//            was erased or moved from, aborts rather than let bytes pass as they are.
// Ownership: the key is erased when it is replaced and when the state goes.
// Errors:    decrypt: kBadTag, with `out` and the nonce as before; kOutOfRange when the nonces are
//            used up.
// Threads:   not thread-safe; owned by its channel.
// Spec:      docs/wire_format.md section 12
#pragma once

#include <cstdint>

#include "channel/secret.h"
#include "core/bytes.h"
#include "core/result.h"

namespace ebb::channel {

inline constexpr std::size_t kTagBytes = 16;

class CipherState {
 public:
  CipherState() = default;
  explicit CipherState(Key key) : key_(std::move(key)), has_key_(true) {}
  CipherState(CipherState&& other) noexcept;
  CipherState& operator=(CipherState&& other) noexcept;

  bool has_key() const { return has_key_; }
  std::uint64_t nonce() const { return nonce_; }
  void set_nonce(std::uint64_t nonce) { nonce_ = nonce; }

  // Both append to `out`, which neither of the views may lie in.
  Status encrypt(ByteView associated, ByteView plaintext, Bytes& out);
  Status decrypt(ByteView associated, ByteView sealed, Bytes& out);
  // Another key made of this one; the nonce goes on.
  void rekey();
  void erase();

 private:
  Key key_;
  bool has_key_ = false;
  std::uint64_t nonce_ = 0;
};

}  // namespace ebb::channel
