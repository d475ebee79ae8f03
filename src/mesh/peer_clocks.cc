#include "mesh/peer_clocks.h"

#include <algorithm>
#include <vector>

#include "core/limits.h"

namespace ebb::mesh {
namespace {

// Later times are no times (and would not fit an hlc).
constexpr std::int64_t kWallMax = std::int64_t{1} << 48;

}  // namespace

void PeerClocks::hear(const DeviceId& device, WallTime wall, Duration age, Instant now) {
  samples_.erase(device);
  if (wall.ms > 0 && wall >= floor_ && wall.ms <= kWallMax) {
    if (samples_.size() >= limits::kClockSamples) {
      samples_.erase(std::min_element(
          samples_.begin(), samples_.end(),
          [](const auto& a, const auto& b) { return a.second.taken < b.second.taken; }));
    }
    samples_[device] = {{wall.ms + age.ms() - now.us / 1000}, now};
  }
  samples_changed();
}

void PeerClocks::expire(Instant now) {
  const std::size_t gone = std::erase_if(samples_, [now](const auto& entry) {
    return (now - entry.second.taken).ms() >= limits::kClockSampleMs;
  });
  if (gone > 0) samples_changed();
}

void PeerClocks::samples_changed() {
  changed_ = true;
  next_expiry_.reset();
  for (const auto& [device, sample] : samples_) {
    const Instant at = sample.taken + milliseconds(limits::kClockSampleMs);
    if (!next_expiry_ || at < *next_expiry_) next_expiry_ = at;
  }
}

bool PeerClocks::changed(Instant now) const {
  return changed_ || (next_expiry_ && *next_expiry_ <= now);
}

std::optional<PeerClock> PeerClocks::median() {
  changed_ = false;
  if (samples_.size() < limits::kClockPeersMin) return std::nullopt;
  std::vector<std::int64_t> lines;
  lines.reserve(samples_.size());
  for (const auto& [device, sample] : samples_)
    lines.push_back(sample.at_origin.ms);
  const auto middle = lines.begin() + static_cast<std::ptrdiff_t>((lines.size() - 1) / 2);
  std::nth_element(lines.begin(), middle, lines.end());
  return PeerClock{{*middle}, lines.size()};
}

}  // namespace ebb::mesh
