// Fingerprint of a set of heads: a sum that is kept as heads come and move, so it never has to be
// computed from the whole set.
//
// Model:   sum mod 2^256 of one hash per head, and their count. Order-free; add and remove are
//          inverse. Never XOR: equal entries would cancel.
// Threads: not thread-safe; a value.
// Spec:    docs/wire_format.md section 6
#pragma once

#include <array>
#include <cstdint>

#include "core/ids.h"

namespace ebb::trust {

class FingerprintSum {
 public:
  // A position at seq 0 is not in any set: both calls ignore it.
  void add(const LogId& log, const Position& position);
  void remove(const LogId& log, const Position& position);
  // remove(before), add(after).
  void move(const LogId& log, const Position& before, const Position& after);

  // The set of this one head; empty at seq 0.
  static FingerprintSum of(const LogId& log, const Position& position);
  // Of sets that have no head in common; removes one that is part of this.
  void add(const FingerprintSum& other);
  void remove(const FingerprintSum& other);

  Fingerprint fingerprint() const;
  std::uint64_t count() const { return count_; }
  bool operator==(const FingerprintSum&) const = default;

 private:
  std::array<std::uint64_t, 4> sum_{};  // least significant first
  std::uint64_t count_ = 0;
};

}  // namespace ebb::trust
