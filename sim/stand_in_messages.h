// StandInMessages: the three messages of the stand-in's handshake, and which keys they leave: who
// knows what can make, read and check as much of them as of Noise's.
//
// Model:     message 1 has a mac of mesh and secret; message 2 anybody can make who knows the mesh
//            and has seen message 1, and nobody else's fits; message 3 and all behind it need the
//            secret and both nonces. Lengths are those of XXpsk3 with a secret, of XX without one.
// Ownership: values.
// Threads:   immutable; any thread.
// Spec:      docs/wire_format.md section 12
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

#include "core/bytes.h"
#include "core/ids.h"
#include "mesh/channel.h"
#include "sim/words.h"

namespace ebb::sim {

inline constexpr std::size_t kStandInTagBytes = 16;  // 8 of them say something

// Of the bytes under the key: another for each other byte.
class KeyedHash {
 public:
  explicit KeyedHash(std::uint64_t key) : state_(key) {}
  void word(std::uint64_t value) {
    state_ = (state_ ^ value) * 0x9e3779b97f4a7c15ULL;
    state_ = std::rotl(state_, 29);
  }
  void bytes(ByteView view) {
    words_of(view, [this](std::uint64_t value) { word(value); });
  }
  std::uint64_t value() const { return state_; }

 private:
  std::uint64_t state_;
};

void append_tag(std::uint64_t tag, Bytes& out);
bool tag_fits(std::uint64_t tag, ByteView wire);

class StandInMessages {
 public:
  using Nonce = FixedBytes<16, struct StandInNonceTag>;
  using Nonces = std::array<Nonce, 2>;  // of who dialled, and of the other

  // `secret`: of the mesh; empty: it has none.
  StandInMessages(const MeshId& mesh, ByteView secret);

  std::size_t least_bytes(std::size_t number) const;  // of the message with this number, 0 to 2
  std::size_t most_bytes(std::size_t number) const;
  // With its length in front. The nonces so far must be known, and that of this message.
  void write(std::size_t number, const Nonces& nonces, ByteView payload, Bytes& wire_out) const;
  // Of messages without their length, of a size that is possible.
  bool fits(std::size_t number, const Nonces& nonces, ByteView message) const;
  static Nonce nonce_of(ByteView message) { return *Nonce::from(message.first(Nonce::kSize)); }
  ByteView payload_of(std::size_t number, ByteView message) const;

  std::uint64_t record_key(const Nonces& nonces, bool of_dialler) const;
  channel::Key datagram_key(const Nonces& nonces, bool of_dialler) const;
  // What a device signs to prove itself in the handshake.
  static Bytes proven(const Nonces& nonces, bool by_dialler);

 private:
  std::uint64_t key(std::size_t number, const Nonces& nonces) const;
  Hash session(const Nonces& nonces) const;

  MeshId mesh_;
  Bytes secret_;
};

}  // namespace ebb::sim
