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
  // nullopt: it may, and that is counted. Else how long it has to wait.
  std::optional<Duration> take(const DeviceId& device, Instant now) {
    constexpr Duration kEach = milliseconds(limits::kRekeyMs);
    if (whole_at_.size() >= limits::kDevicesRekeyed && !whole_at_.contains(device)) {
      std::erase_if(whole_at_, [now](const auto& each) { return each.second <= now; });
      if (whole_at_.size() >= limits::kDevicesRekeyed) return first() - now;
    }
    Instant& whole_at = whole_at_.try_emplace(device, now).first->second;
    whole_at = std::max(whole_at, now);
    const Duration wait = whole_at - now - kEach * (limits::kRekeysAtOnce - 1);
    if (wait > Duration{}) return wait;
    whole_at = whole_at + kEach;
    return std::nullopt;
  }

 private:
  Instant first() const {
    return std::min_element(whole_at_.begin(), whole_at_.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; })
        ->second;
  }

  std::map<DeviceId, Instant> whole_at_;
};

}  // namespace ebb::mesh
