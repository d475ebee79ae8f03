// Overheard: how handshakes between hosts of the run began, for who repeats them.
//
// Model:   keeps the first bytes of each end of some of the connections, from their very first on.
// Limits:  kKept connections, kBytes of each end.
// Threads: not thread-safe; owned by one run.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>

#include "core/bytes.h"
#include "core/rng.h"

namespace ebb::sim {

class Overheard {
 public:
  static constexpr std::size_t kKept = 32;
  static constexpr std::size_t kBytes = 4096;

  struct Handshake {
    std::array<Bytes, 2> said;  // by who dialled, and by the other
  };

  // Connections are numbered in the order in which they are dialled.
  void hear(std::uint64_t connection, std::size_t side, ByteView bytes);
  // One in which both have spoken; nullptr: there is none yet. Valid until more is heard.
  const Handshake* draw(Rng& rng) const;

 private:
  std::map<std::uint64_t, Handshake> kept_;
  std::uint64_t newest_ = 0;
};

}  // namespace ebb::sim
