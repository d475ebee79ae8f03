// Hybrid logical clock: timestamps that follow the wall clock and never go back.
//
// Model:   48 bits of wall milliseconds, 16 bits of counter; strictly increasing per clock.
//          A remote time pulls the clock at most limits::kRemoteAheadMs ahead of the own wall
//          clock; a remote time beyond that is kept as data and pulls no further.
// Threads: not thread-safe; owned by the store that stamps with it.
// Spec:    docs/wire_format.md section 3
#pragma once

#include <compare>
#include <cstdint>

#include "core/time.h"

namespace ebb {

struct Hlc {
  std::uint64_t value = 0;
  auto operator<=>(const Hlc&) const = default;
  WallTime wall() const { return {static_cast<std::int64_t>(value >> 16)}; }
  std::uint16_t counter() const { return static_cast<std::uint16_t>(value & 0xffff); }
  // Times before 1970 and beyond 48 bits are clamped.
  static Hlc at(WallTime wall, std::uint16_t counter = 0);
};

class HlcClock {
 public:
  // Continues after `last`, the greatest stamp given before.
  explicit HlcClock(Hlc last = {}) : last_(last) {}

  // A stamp greater than every stamp given or observed so far.
  Hlc tick(WallTime now);
  // Takes note of a stamp made elsewhere.
  void observe(Hlc remote, WallTime now);
  Hlc last() const { return last_; }

 private:
  Hlc last_;
};

}  // namespace ebb
