// SymmetricState: chaining key, transcript hash and cipher of a Noise handshake.
//
// Model:     the transcript hash covers everything that was sent; the chaining key everything that
//            was agreed. Until the first key is mixed in, bytes pass as they are; from then on
//            never again, also not once it was erased.
// Ownership: chaining key and cipher are erased with the state.
// Errors:    decrypt_and_hash: as CipherState::decrypt; the state is then useless.
//            Both, of an erased state: kInternal, with `out` as before. To mix keys into one, or to
//            derive from it, aborts.
// Threads:   not thread-safe; owned by its handshake.
// Spec:      docs/wire_format.md section 12
#pragma once

#include <string_view>
#include <utility>

#include "channel/cipher_state.h"
#include "channel/noise_hash.h"
#include "channel/secret.h"
#include "core/bytes.h"
#include "core/result.h"

namespace ebb::channel {

// For what the initiator sends, and for what the responder sends.
struct KeyPair {
  Key from_initiator;
  Key from_responder;
};

class SymmetricState {
 public:
  // `protocol_name` in full; `hash` must outlive the state.
  SymmetricState(std::string_view protocol_name, const NoiseHash& hash);
  SymmetricState(const SymmetricState&) = delete;
  SymmetricState& operator=(const SymmetricState&) = delete;

  void mix_key(ByteView input);
  void mix_hash(ByteView bytes);
  void mix_key_and_hash(ByteView input);
  bool has_key() const { return cipher_.has_key(); }
  Status encrypt_and_hash(ByteView plaintext, Bytes& out);
  Status decrypt_and_hash(ByteView sealed, Bytes& out);

  // Two keys from the chaining key: Noise's Split for an empty label, others for others.
  KeyPair derive(std::string_view label) const;
  const Bytes& transcript() const { return transcript_; }
  void erase();

 private:
  enum class Stage : std::uint8_t { kClear, kKeyed, kErased };

  Status check_not_erased() const;
  ByteView chaining_key() const { return chaining_key_.view().first(hash_.size()); }

  const NoiseHash& hash_;
  HashSecret chaining_key_;
  Bytes transcript_;
  CipherState cipher_;
  Stage stage_ = Stage::kClear;
};

}  // namespace ebb::channel
