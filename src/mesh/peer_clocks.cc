#include "mesh/peer_clocks.h"

#include <algorithm>
#include <tuple>
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
      samples_.erase(
          std::min_element(samples_.begin(), samples_.end(), [](const auto& a, const auto& b) {
            return std::tie(a.second.linked, a.second.taken) <
                   std::tie(b.second.linked, b.second.taken);
          }));
    }
    samples_[device] = {{wall.ms + age.ms() - now.us / 1000}, now, false};
  }
  samples_changed();
}

void PeerClocks::link_stands(const DeviceId& device) {
  const auto sample = samples_.find(device);
  if (sample == samples_.end()) return;
  sample->second.linked = true;
  samples_changed();
}

void PeerClocks::link_ended(const DeviceId& device, Instant now) {
  const auto sample = samples_.find(device);
  if (sample == samples_.end() || !sample->second.linked) return;
  sample->second.linked = false;
  sample->second.taken = now;
  samples_changed();
}

void PeerClocks::expire(Instant now) {
  const std::size_t gone = std::erase_if(samples_, [now](const auto& entry) {
    return !entry.second.linked && (now - entry.second.taken).ms() >= limits::kClockSampleMs;
  });
  if (gone > 0) samples_changed();
}

void PeerClocks::samples_changed() {
  changed_ = true;
  next_expiry_.reset();
  for (const auto& [device, sample] : samples_) {
    if (sample.linked) continue;
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
