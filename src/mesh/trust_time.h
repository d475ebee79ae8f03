// The time by which certificates are judged: of the own clock, a floor and the clocks of peers.
//
// Model:   a clock that shows a time before the floor is wrong, and is no witness. Of the rest, the
//          own among them unless it is doubted, two or more that are within a day of one of them
//          are right if they are more than half: the own time if it is one of them, else the middle
//          of theirs. Where no such majority is, nobody knows the time, and none is locked out for
//          it: the own clock holds if the own certificate lasts by it, for that is renewed long
//          before its end; else the earliest one by which it lasts; else the floor.
// Threads: pure.
// Limits:  limits::kTimeFloorMs; clocks: at most limits::kClockSamples and the own.
// Spec:    docs/wire_format.md section 13, decision 0031
#pragma once

#include <functional>
#include <vector>

#include "core/time.h"

namespace ebb::mesh {

struct OwnClock {
  WallTime now;
  bool is_doubted = false;  // it is known to be wrong, or was never set
};

struct TrustTime {
  WallTime at;
  bool overruled = false;  // it is that of peers, and more than a day from the own
};
// Never before `floor`. `peers`: what their clocks show now, one of each, in any order. `lasts`:
// whether the own certificate has not ended at a time.
TrustTime trust_time(const OwnClock& own, WallTime floor, std::vector<WallTime> peers,
                     const std::function<bool(WallTime)>& lasts);

}  // namespace ebb::mesh
