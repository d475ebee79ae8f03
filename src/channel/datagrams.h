// Sealed datagrams: each is whole in itself, may be lost, repeated or overtaken, and says by an
// index whose keys it is sealed with. What is in one they do not know.
//
// Model:     a sealer numbers what it seals; an opener takes each number once, in any order within
//            the replay window. Where anything does not fit, nothing is answered and no state
//            moves.
// Ownership: keys are erased with their owner.
// Errors:    seal: kTooLarge beyond limits::kDatagramBytes, kOutOfRange when the key is used up
//            (limits::kDatagramsPerKey); nothing is appended.
// Limits:    a table has limits::kDatagramSessions indices.
// Threads:   not thread-safe; owned by who has the socket.
// Spec:      docs/wire_format.md section 12
#pragma once

#include <cstdint>
#include <map>
#include <optional>

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

struct OpenedDatagram {
  ReceiverIndex index = 0;
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

  // nullopt: not for this index, not authentic, or taken already.
  std::optional<OpenedDatagram> open(ByteView wire);

 private:
  CipherState cipher_;
  ReceiverIndex index_;
  ReplayWindow window_;
};

// The openers that are live, by index.
class DatagramTable {
 public:
  // False, and nothing changes: the index is 0 or taken, or the table is full.
  bool add(ReceiverIndex index, CipherState cipher);
  void remove(ReceiverIndex index) { openers_.erase(index); }
  std::size_t size() const { return openers_.size(); }
  // As that of the opener; nullopt also for an index that there is not.
  std::optional<OpenedDatagram> open(ByteView wire);

 private:
  std::map<ReceiverIndex, DatagramOpener> openers_;
};

}  // namespace ebb::channel
