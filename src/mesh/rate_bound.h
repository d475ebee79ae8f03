// RateBound: so many a second, and a second's worth at once.
//
// Model:   each that is let through puts the time off at which there is room for all again; no
//          more is let through while that is more than a second ahead.
// Threads: not thread-safe; part of the engine.
#pragma once

#include <algorithm>
#include <cstdint>

#include "core/time.h"

namespace ebb::mesh {

class RateBound {
 public:
  // `per_second` is above 0.
  explicit RateBound(std::uint64_t per_second)
      : step_(microseconds(1000000 / static_cast<std::int64_t>(per_second))) {}

  // False: one too many.
  bool take(Instant now) {
    empty_at_ = std::max(empty_at_, now);
    if (empty_at_ - now > seconds(1) - step_) return false;
    empty_at_ = empty_at_ + step_;
    return true;
  }

 private:
  Duration step_;
  Instant empty_at_;
};

}  // namespace ebb::mesh
