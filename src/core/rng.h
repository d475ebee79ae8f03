// A small seedable generator of pseudo-random integers (SplitMix64). Not for keys or anything an
// attacker must not guess.
//
// Model:   the same seed gives the same numbers on every machine and compiler; probabilities are
//          integer ratios, so nothing depends on floating point.
// Threads: not thread-safe; owned by whoever draws from it.
#pragma once

#include <cstdint>

#include "core/check.h"

namespace ebb {

class Rng {
 public:
  explicit Rng(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  // Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound) {
    EBB_CHECK(bound > 0);
    const std::uint64_t reject_from = UINT64_MAX - UINT64_MAX % bound;
    std::uint64_t value = next();
    while (value >= reject_from)
      value = next();
    return value % bound;
  }
  // Uniform in [low, high], both inclusive.
  std::uint64_t between(std::uint64_t low, std::uint64_t high) {
    EBB_CHECK(low <= high);
    if (low == 0 && high == UINT64_MAX) return next();
    return low + below(high - low + 1);
  }
  // True in `numerator` of `denominator` draws.
  bool chance(std::uint64_t numerator, std::uint64_t denominator) {
    return below(denominator) < numerator;
  }
  // A generator of its own, so that drawing from it does not move this one.
  Rng fork() { return Rng(next()); }

 private:
  std::uint64_t state_;
};

}  // namespace ebb
