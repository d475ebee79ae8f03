// Trace: a running hash over every step of every host, equal for two runs exactly when the engines
// saw and did the same things at the same times.
//
// Model:     hash(n) = H(hash(n-1) || now || host || life || input || effects), over every field
//            but error details, which may name files of this machine.
// Ownership: `lines` may be empty; it is then not called.
// Threads:   not thread-safe; owned by one run.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "core/ids.h"
#include "mesh/types.h"
#include "sim/options.h"

namespace ebb::sim {

class Trace {
 public:
  using Lines = std::function<void(const std::string&)>;
  explicit Trace(Lines lines = {}) : lines_(std::move(lines)) {}

  // The input is written down before the engine consumes it, the effects after.
  void begin_step(Instant now, HostIndex host, std::uint64_t life, const mesh::Input& input);
  void end_step(const mesh::Effects& effects);
  // Something that no engine sees: a fault, an append, a start.
  void note(Instant now, HostIndex host, const std::string& text);

  const Hash& hash() const { return hash_; }
  std::uint64_t steps() const { return steps_; }

 private:
  Lines lines_;
  Hash hash_;
  std::uint64_t steps_ = 0;
  Bytes step_;
  std::string line_;
};

}  // namespace ebb::sim
