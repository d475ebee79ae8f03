// RetryPause: how long to wait before what has failed is tried again: 1 s, then twice as long each
// time, 60 s at the most.
//
// Threads: a value.
#pragma once

#include <algorithm>
#include <utility>

#include "core/time.h"

namespace ebb::node {

class RetryPause {
 public:
  Duration next() { return std::exchange(pause_, std::min(pause_ * 2, kMax)); }
  void reset() { pause_ = kMin; }

 private:
  static constexpr Duration kMin = seconds(1);
  static constexpr Duration kMax = seconds(60);
  Duration pause_ = kMin;
};

}  // namespace ebb::node
