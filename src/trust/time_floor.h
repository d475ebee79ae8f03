// TimeFloor: the time before which it cannot be, so that a clock that was set back makes nothing
// valid that has ended.
//
// Model:   it never goes back. The root moves it, in steps (Authority::floor_by_root), so that a
//          mistake costs a year and not the mesh; an issuer, by a record that counts, only to where
//          the own clock and those of peers are too, so that one with a clock in 2040 ends nothing.
// Threads: a value; its owner keeps it on disk.
// Limits:  limits::kTimeFloorMs, kTimeFloorPeers.
// Spec:    docs/wire_format.md section 13
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "core/limits.h"
#include "core/time.h"

namespace ebb::trust {

class TimeFloor {
 public:
  explicit TimeFloor(WallTime persisted = {}) : floor_(persisted) {}

  WallTime floor() const { return floor_; }
  // The time by which validity is judged.
  WallTime judged(WallTime wall) const { return std::max(wall, floor_); }

  // Both true when it has moved, and is to be kept.
  bool take_from_root(WallTime at) { return move_to(at); }
  // `peers`: what the clocks of peers show now, one of each.
  bool take_from_issuer(WallTime at, WallTime wall, std::span<const WallTime> peers) {
    const auto is_near = [at](WallTime clock) {
      return std::abs(clock.ms - at.ms) <= limits::kTimeFloorMs;
    };
    const auto agree = std::count_if(peers.begin(), peers.end(), is_near);
    if (!is_near(wall) || agree < std::ptrdiff_t{limits::kTimeFloorPeers}) return false;
    return move_to(at);
  }

 private:
  bool move_to(WallTime at) {
    if (at <= floor_) return false;
    floor_ = at;
    return true;
  }

  WallTime floor_;
};

}  // namespace ebb::trust
