// HostClock: what a host's clocks show: a wall clock that may be wrong in every way, and a
// monotonic one that never goes back and goes on while the machine sleeps, as the daemon's does.
//
// Model:   wall = what it was set to + time since, at a rate that is off by some millionths. The
//          right wall time is that of a clock that nobody touched.
// Threads: not thread-safe; owned by its host.
#pragma once

#include "core/clock_judge.h"
#include "core/time.h"
#include "sim/event_queue.h"

namespace ebb::sim {

class HostClock {
 public:
  // `at_start`: what the wall clock says when the simulation begins.
  HostClock(const EventQueue& queue, WallTime at_start)
      : queue_(queue), right_(at_start), set_to_(at_start) {}

  WallTime wall() const {
    const std::int64_t us = (queue_.now() - set_at_).us;
    return {set_to_.ms + (us + us / 1000000 * drift_ppm_) / 1000};
  }
  void set_wall(WallTime wall) {
    set_to_ = wall;
    set_at_ = queue_.now();
  }
  void step(std::int64_t ms) { set_wall({wall().ms + ms}); }
  void set_drift(std::int64_t ppm) {
    set_wall(wall());
    drift_ppm_ = ppm;
  }
  // As a time server would.
  void set_right() { set_wall({right_.ms + (queue_.now() - Instant{}).ms()}); }

  // Monotonic time of this life of the host, which began at another number than the last.
  Instant monotonic() const { return queue_.now() + offset_; }
  ClockReading reading() const { return {wall(), monotonic()}; }
  Instant to_simulation(Instant monotonic) const { return monotonic - offset_; }
  void begin_life(Duration offset) { offset_ = offset; }

 private:
  const EventQueue& queue_;
  WallTime right_;
  WallTime set_to_;
  Instant set_at_;
  std::int64_t drift_ppm_ = 0;
  Duration offset_;
};

}  // namespace ebb::sim
