// NoiseHandshake: one end of a Noise handshake (HandshakeState), for any pattern of
// noise_pattern.h. It knows no framing, no time and no source of random bytes.
//
// Model:     messages are written and read in turn, as the pattern says, the initiator first. After
//            the last one it is finished, and derive() gives the keys of both directions. What is
//            not as it must be fails the handshake for good: its keys are erased, every further
//            call is answered with an error, and there is nothing to derive.
// Ownership: keeps the secrets that it is given, erases them when it is finished or has failed.
//            Pattern and hash must outlive it.
// Errors:    read_message: kMalformed (too short, out of turn, a key of low order), kBadTag;
//            nothing is appended then. write_message: kMalformed when the other end's key is of low
//            order, or out of turn. Either way the handshake has failed.
// Limits:    the caller bounds the size of messages.
// Threads:   not thread-safe; owned by its channel.
// Spec:      docs/wire_format.md section 12
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "channel/noise_hash.h"
#include "channel/noise_keys.h"
#include "channel/noise_pattern.h"
#include "channel/secret.h"
#include "channel/symmetric_state.h"
#include "core/bytes.h"
#include "core/result.h"

namespace ebb::channel {

enum class Role : std::uint8_t { kInitiator, kResponder };

struct NoiseSetup {
  Role role = Role::kInitiator;
  ByteView prologue;  // read by the constructor alone
  StaticKey static_key;
  Key ephemeral_key;                       // 32 random bytes, of this handshake alone
  std::optional<PublicKey> remote_static;  // exactly where the pattern has it known
  std::optional<Key> psk;                  // exactly where the pattern has one
};

class NoiseHandshake {
 public:
  NoiseHandshake(const NoisePattern& pattern, const NoiseHash& hash, NoiseSetup setup);
  // Nothing is left behind that could go on without its keys.
  NoiseHandshake(const NoiseHandshake&) = delete;
  NoiseHandshake& operator=(const NoiseHandshake&) = delete;

  // Both append to `out`.
  Status write_message(ByteView payload, Bytes& out);
  Status read_message(ByteView message, Bytes& payload_out);

  bool finished() const { return !failed_ && next_ == pattern_.messages.size(); }
  bool failed() const { return failed_; }
  // Whether the next message is this end's to write.
  bool my_turn() const;

  // Noise's Split for an empty label. Checked: finished, and not erased yet.
  KeyPair derive(std::string_view label) const;
  // Forgets the keys; to be called once everything is derived. Before the end it fails the
  // handshake.
  void erase();

  // The other end's static key; nullopt as long as nothing has told it.
  const std::optional<PublicKey>& remote_static() const { return remote_static_; }
  // The hash of all that was sent and read so far: the same at both ends, and of this handshake.
  const Bytes& transcript() const { return symmetric_.transcript(); }

 private:
  Status write_token(NoiseToken token, Bytes& out);
  Status read_token(NoiseToken token, ByteView& rest);
  // What a token mixes in that is not sent: the same at both ends.
  Status mix_token(NoiseToken token);
  Status mix_dh(const Key& secret, const std::optional<PublicKey>& other);
  void mix_ephemeral(const PublicKey& key);
  Error fail(Error error);

  const NoisePattern& pattern_;
  Role role_;
  StaticKey static_key_;
  Key ephemeral_key_;
  std::optional<Key> psk_;
  std::optional<PublicKey> remote_static_;
  std::optional<PublicKey> remote_ephemeral_;
  SymmetricState symmetric_;
  std::size_t next_ = 0;
  bool failed_ = false;
  bool erased_ = false;
};

}  // namespace ebb::channel
