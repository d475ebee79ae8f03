#include "mesh/link_rate.h"

#include <algorithm>

namespace ebb::mesh {
namespace {

// Shorter times say more about the machine than about the link.
constexpr Duration kSampleTime = milliseconds(20);
constexpr std::int64_t kSecondUs = 1000000;
// More makes no larger chunk.
constexpr std::uint64_t kGuessMax = limits::kChunkBytes * kSecondUs / LinkRate::kChunkTime.us;

}  // namespace

void LinkRate::sent(Instant now, std::size_t bytes) {
  if (waiting_ == 0) {
    since_ = now;
    drained_ = 0;
  }
  waiting_ += bytes;
}

void LinkRate::reported(Instant now, std::size_t waiting_bytes) {
  if (waiting_bytes < waiting_) drained_ += waiting_ - waiting_bytes;
  waiting_ = waiting_bytes;
  const bool long_enough = now - since_ >= kSampleTime;
  if (waiting_ == 0 && !long_enough) {
    if (!measured_ && drained_ >= chunk_bytes()) rate_ = std::min(rate_ * 2, kGuessMax);
    return;
  }
  if (long_enough) take_sample(now);
}

void LinkRate::take_sample(Instant now) {
  const std::int64_t us = std::max<std::int64_t>((now - since_).us, 1);
  const std::uint64_t sample = drained_ * kSecondUs / static_cast<std::uint64_t>(us);
  since_ = now;
  drained_ = 0;
  const bool lower_bound = waiting_ == 0;
  if (lower_bound && sample < rate_) return;
  if (!measured_ && !lower_bound) {
    rate_ = sample;
    measured_ = true;
  } else {
    // Down at once by most of it, for the next chunk would hold up everything; up with patience.
    rate_ = sample < rate_ ? (rate_ + 3 * sample) / 4 : (7 * rate_ + sample) / 8;
  }
}

std::size_t LinkRate::chunk_bytes() const {
  const std::uint64_t bytes = rate_ * static_cast<std::uint64_t>(kChunkTime.us) / kSecondUs;
  return std::clamp<std::size_t>(bytes, kChunkBytesMin, limits::kChunkBytes);
}

}  // namespace ebb::mesh
