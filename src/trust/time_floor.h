// TimeFloor: the time before which it cannot be, so that a clock that was set back makes nothing
// valid that has ended.
//
// Model:   the later of two, of which neither goes back: that of the root, which its records move
//          in steps (Authority::floor_by_root), so that a mistake costs a year and not the mesh;
//          and that of issuers, which a record that counts moves only to where the own clock and
//          those of peers are too, and by one step at most, so that one with a clock in 2040 ends
//          nothing. They are apart so that the root's is always what its records make of it.
// Threads: a value; its owner keeps both on disk.
// Limits:  limits::kTimeFloorMs, kTimeFloorPeers, kTimeFloorStepMs.
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
  struct Kept {
    WallTime by_root;
    WallTime by_issuers;
  };
  // Neither is before `created`, when the mesh was made.
  explicit TimeFloor(WallTime created, const Kept& kept = {})
      : kept_{std::max(created, kept.by_root), std::max(created, kept.by_issuers)} {}

  WallTime floor() const { return std::max(kept_.by_root, kept_.by_issuers); }
  // The time by which validity is judged.
  WallTime judged(WallTime wall) const { return std::max(wall, floor()); }
  const Kept& kept() const { return kept_; }

  // Both true when something has moved, and is to be kept.
  bool take_from_root(WallTime at) { return move(kept_.by_root, at); }
  // `peers`: what the clocks of peers show now, one of each.
  bool take_from_issuer(WallTime at, WallTime wall, std::span<const WallTime> peers) {
    const auto is_near = [at](WallTime clock) {
      return std::abs(clock.ms - at.ms) <= limits::kTimeFloorMs;
    };
    const auto agree = std::count_if(peers.begin(), peers.end(), is_near);
    if (!is_near(wall) || agree < std::ptrdiff_t{limits::kTimeFloorPeers}) return false;
    return move(kept_.by_issuers, std::min(at, {floor().ms + limits::kTimeFloorStepMs}));
  }

 private:
  static bool move(WallTime& floor, WallTime to) {
    if (to <= floor) return false;
    floor = to;
    return true;
  }

  Kept kept_;
};

}  // namespace ebb::trust
