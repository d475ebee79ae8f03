// Trace: a running hash over every step of every host, equal for two runs exactly when the engines
// saw and did the same things at the same times.
//
// Model:     the hash runs over now, host, life, input and effects of every step, field by field
// but
//            for error details, which may name files of this machine. It tells runs apart that
//            differ by chance, not by intent.
// Ownership: `lines` may be empty; it is then not called.
// Threads:   not thread-safe; owned by one run.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>

#include "core/ids.h"
#include "mesh/types.h"
#include "sim/options.h"

namespace ebb::sim {

// Four lanes that take words in turn: nobody forges a trace, it has to be fast and to see every
// bit.
class TraceMix {
 public:
  void word(std::uint64_t value) {
    std::uint64_t& lane = lanes_[next_++ % lanes_.size()];
    lane = (lane ^ value) * kOdd;
    lane ^= lane >> 29;
  }
  void bytes(ByteView view);
  // After each step, so that lanes depend on each other.
  void stir();
  Hash hash() const;

 private:
  static constexpr std::uint64_t kOdd = 0x9fb21c651e98df25ULL;
  std::array<std::uint64_t, 4> lanes_ = {1, 2, 3, 4};
  std::uint64_t next_ = 0;
};

class Trace {
 public:
  using Lines = std::function<void(const std::string&)>;
  explicit Trace(Lines lines = {}) : lines_(std::move(lines)) {}

  // The input is written down before the engine consumes it, the effects after.
  void begin_step(Instant now, HostIndex host, std::uint64_t life, const mesh::Input& input);
  void end_step(const mesh::Effects& effects);
  // Something that no engine sees: a fault, an append, a start.
  void note(Instant now, HostIndex host, const std::string& text);

  Hash hash() const { return mix_.hash(); }
  std::uint64_t steps() const { return steps_; }

 private:
  Lines lines_;
  TraceMix mix_;
  std::uint64_t steps_ = 0;
  std::string line_;
};

}  // namespace ebb::sim
