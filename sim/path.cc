#include "sim/path.h"

#include <algorithm>

namespace ebb::sim {
namespace {

constexpr std::uint64_t kMicrosecondsPerSecond = 1000000;

Duration sending_time(std::uint64_t rate, std::size_t bytes) {
  if (rate == 0) return {};
  return microseconds(static_cast<std::int64_t>(bytes * kMicrosecondsPerSecond / rate));
}

}  // namespace

Duration travel_time(const PathOptions& options, Rng& rng) {
  const auto jitter = static_cast<std::uint64_t>(options.jitter.us);
  return options.latency + microseconds(static_cast<std::int64_t>(rng.between(0, jitter)));
}

Passage Path::carry(const PathOptions& options, Instant now, std::size_t bytes, Rng& rng) {
  const Duration travel = travel_time(options, rng);
  const bool is_lost = rng.chance(options.loss_permille, 1000);
  const Instant start = std::max(busy_until_, now);
  const Instant sent = start + sending_time(options.rate, bytes);
  // How long the queue may take to send: what waits, and this packet.
  if (options.queue_bytes > 0 && sent - now > sending_time(options.rate, options.queue_bytes)) {
    return {sent + travel, Fate::kNoRoom};
  }
  busy_until_ = sent;
  return {sent + travel, is_lost ? Fate::kLost : Fate::kCarried};
}

}  // namespace ebb::sim
