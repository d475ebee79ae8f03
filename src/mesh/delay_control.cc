#include "mesh/delay_control.h"

#include <algorithm>

namespace ebb::mesh {
namespace {

constexpr Duration kBasePeriod = seconds(300);

}  // namespace

void DelayControl::sent(std::size_t bytes) {
  sent_ += bytes;
  if (!may_send()) was_limited_ = true;
}

void DelayControl::note_base(Instant now, Duration round) {
  if (base_ && now - period_since_ >= kBasePeriod) {
    base_before_ = base_;
    base_.reset();
  }
  if (!base_) period_since_ = now;
  base_ = base_ ? std::min(*base_, round) : round;
}

void DelayControl::answered(Instant now, Duration round, std::size_t chunk_bytes) {
  note_base(now, round);
  const Duration base = base_before_ ? std::min(*base_, *base_before_) : *base_;
  added_ = std::max(std::min(round, last_round_.value_or(round)) - base, Duration{});
  last_round_ = round;
  const std::uint64_t arrived = marked_ - arrived_;
  arrived_ = marked_;
  if (arrived == 0) return;
  if (added_ >= kAddedDelayMax) {
    window_ = window_ / 2;
  } else if (was_limited_) {
    const bool far_below = added_ < kAddedDelayMax / 4;
    window_ += far_below ? std::max<std::size_t>(arrived, chunk_bytes) : chunk_bytes;
  }
  window_ = std::clamp(window_, kWindowMin, kWindowMax);
  was_limited_ = false;
}

}  // namespace ebb::mesh
