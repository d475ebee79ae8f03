// Sealed datagrams: each is whole in itself, may be lost, repeated or overtaken, and says by an
// index whose keys it is sealed with. What is in one they do not know.
//
// Model:     a sealer numbers what it seals; an opener takes each number once, in any order within
//            the replay window. Where anything does not fit, nothing is answered and no state
//            moves.
// Ownership: keys are erased with their owner.
// Errors:    seal: kTooLarge beyond limits::kDatagramBytes, kOutOfRange when the key is used up
//            (limits::kDatagramsPerKey); nothing is appended.
// Threads:   not thread-safe; owned by who has the socket.
// Spec:      docs/wire_format.md section 12
#pragma once

#include <cstdint>
#include <optional>
#include <variant>

#include "channel/cipher_state.h"
#include "channel/replay_window.h"
#include "core/bytes.h"
#include "core/limits.h"
#include "core/result.h"

namespace ebb::channel {

inline constexpr std::size_t kDatagramHeaderBytes = 16;
inline constexpr std::size_t kDatagramPlainBytes =
    limits::kDatagramBytes - kDatagramHeaderBytes - kTagBytes;

// Chosen by who receives with it; not 0.
using ReceiverIndex = std::uint32_t;

class DatagramSealer {
 public:
  // `index` is what the other end has told.
  DatagramSealer(CipherState cipher, ReceiverIndex index)
      : cipher_(std::move(cipher)), index_(index) {}

  // Appends one datagram.
  Status seal(std::uint8_t type, ByteView plain, Bytes& wire_out);

 private:
  CipherState cipher_;
  ReceiverIndex index_;
};

// The index that a datagram names; nullopt: it is none, by length, version or what is reserved.
std::optional<ReceiverIndex> datagram_index(ByteView wire);

// Why a datagram is met with silence.
enum class Unopened : std::uint8_t {
  kMalformed,  // no datagram, or not for this index
  kReplayed,   // its counter was taken, or is below the window
  kBadTag,
};

struct OpenedDatagram {
  std::uint8_t type = 0;
  std::uint64_t counter = 0;
  // Greater than all before: only then may the address that it came from be taken for where the
  // other end is now.
  bool newest = false;
  Bytes plain;
};

class DatagramOpener {
 public:
  DatagramOpener(CipherState cipher, ReceiverIndex index)
      : cipher_(std::move(cipher)), index_(index) {}

  // What is in it, or why there is nothing.
  std::variant<OpenedDatagram, Unopened> open(ByteView wire);

 private:
  CipherState cipher_;
  ReceiverIndex index_;
  ReplayWindow window_;
};

}  // namespace ebb::channel
