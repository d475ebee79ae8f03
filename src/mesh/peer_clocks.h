// PeerClocks: what other devices say the time is, and their median.
//
// Model:     one sample a device, taken at its HELLO, as a line over our own monotonic clock, so
//            that steps of our own wall clock do not move it. A device that doubts its own clock
//            says nothing, and takes back what it said before.
// Threads:   not thread-safe; part of the engine.
// Limits:    kClockSamples devices, the oldest sample of one without a link goes first;
//            kClockSampleMs after the last link; fewer than kClockPeersMin prove nothing.
// Spec:      docs/wire_format.md section 10
#pragma once

#include <map>
#include <optional>

#include "core/clock_judge.h"
#include "core/ids.h"
#include "core/time.h"

namespace ebb::mesh {

class PeerClocks {
 public:
  // Times before this are no samples: whoever says so has a clock that is not set.
  explicit PeerClocks(WallTime floor) : floor_(floor) {}

  // The device said `wall`; that was `age` ago.
  void hear(const DeviceId& device, WallTime wall, Duration age, Instant now);
  // A link to the device stands: what it said stays until a day after the link has ended.
  void link_stands(const DeviceId& device);
  void link_ended(const DeviceId& device, Instant now);
  // Forgets what is too old.
  void expire(Instant now);
  // When expire() has something to do; nullopt: never.
  std::optional<Instant> next_expiry() const { return next_expiry_; }
  // Whether median() may be another since it was asked for last.
  bool changed(Instant now) const;
  // nullopt while too few are known. Of an even number the earlier one of the middle.
  std::optional<PeerClock> median();

 private:
  void samples_changed();

  struct Sample {
    WallTime at_origin;
    Instant taken;  // or when the link ended
    bool linked = false;
  };
  WallTime floor_;
  std::map<DeviceId, Sample> samples_;
  std::optional<Instant> next_expiry_;  // nullopt: never
  bool changed_ = false;
};

}  // namespace ebb::mesh
