// RekeyBook: how often a device is given a certificate for another link key than its own is for.
//
// Model:   limits::kRekeysAtOnce at once, then one in limits::kRekeyMs: each takes a part of the
//          time at whose end the device has all of them again. For a device that changes its link
//          key for ever would fill its issuer's log, which is never pruned.
// Threads: not thread-safe; part of the engine.
// Limits:  limits::kDevicesRekeyed; while so many have changed theirs lately, no other one may.
#pragma once

#include <algorithm>
#include <map>
#include <optional>

#include "core/ids.h"
#include "core/limits.h"
#include "core/time.h"

namespace ebb::mesh {

class RekeyBook {
 public:
  // How long until it may once more; nullopt: now.
  std::optional<Duration> wait(const DeviceId& device, Instant now) {
    const auto at = whole_at_.find(device);
    if (at != whole_at_.end()) {
      const Duration wait = at->second - now - kEach * (limits::kRekeysAtOnce - 1);
      return wait > Duration{} ? std::optional(wait) : std::nullopt;
    }
    if (whole_at_.size() < limits::kDevicesRekeyed) return std::nullopt;
    std::erase_if(whole_at_, [now](const auto& each) { return each.second <= now; });
    if (whole_at_.size() < limits::kDevicesRekeyed) return std::nullopt;
    return first() - now;
  }
  // It has; only where it need not wait.
  void count(const DeviceId& device, Instant now) {
    Instant& whole_at = whole_at_.try_emplace(device, now).first->second;
    whole_at = std::max(whole_at, now) + kEach;
  }

 private:
  static constexpr Duration kEach = milliseconds(limits::kRekeyMs);

  Instant first() const {
    return std::min_element(whole_at_.begin(), whole_at_.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; })
        ->second;
  }

  std::map<DeviceId, Instant> whole_at_;
};

}  // namespace ebb::mesh
