// ReplayWindow: which counters of datagrams were taken already.
//
// Model:   remembers the limits::kReplayWindow counters up to the greatest that was taken; below
//          them everything counts as taken.
// Threads: not thread-safe; owned by who opens the datagrams.
// Spec:    docs/wire_format.md section 12
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/limits.h"

namespace ebb::channel {

class ReplayWindow {
 public:
  bool is_taken(std::uint64_t counter) const {
    if (counter >= next_) return false;
    if (next_ - counter > limits::kReplayWindow) return true;
    return (word(counter) & bit(counter)) != 0;
  }
  // Greater than all that were taken before.
  bool is_newest(std::uint64_t counter) const { return counter >= next_; }

  // To be called for what is not taken, once it is known to be authentic.
  void take(std::uint64_t counter) {
    if (counter >= next_) {
      const std::uint64_t passed = std::min(counter + 1 - next_, limits::kReplayWindow);
      for (std::uint64_t i = 0; i < passed; ++i)
        word(counter - i) &= ~bit(counter - i);
      next_ = counter + 1;
    }
    word(counter) |= bit(counter);
  }

 private:
  static constexpr std::uint64_t kWordBits = 64;
  static_assert(limits::kReplayWindow % kWordBits == 0);

  static std::uint64_t bit(std::uint64_t counter) {
    return std::uint64_t{1} << (counter % kWordBits);
  }
  static std::size_t place(std::uint64_t counter) {
    return static_cast<std::size_t>(counter % limits::kReplayWindow / kWordBits);
  }
  std::uint64_t& word(std::uint64_t counter) { return words_[place(counter)]; }
  const std::uint64_t& word(std::uint64_t counter) const { return words_[place(counter)]; }

  // The greatest counter taken, and one; 0: none.
  std::uint64_t next_ = 0;
  // One bit for each counter, where its remainder is.
  std::array<std::uint64_t, static_cast<std::size_t>(limits::kReplayWindow / kWordBits)> words_{};
};

}  // namespace ebb::channel
