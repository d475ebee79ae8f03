// ScopePlan: which hosts take part in some logs only, and in which.
//
// Model:   a host's scope never changes while it runs. Where scopes move, a start may bring a wider
//          one: a leaf, then some topics or some devices, then more of them, then everything.
//          Rationale: what leaves a scope stays where it is and is told to nobody, so a run whose
//          scopes became narrower could not say which copies of an event still count.
// Threads: not thread-safe; owned by one run.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "core/rng.h"
#include "core/scope.h"
#include "sim/options.h"

namespace ebb::sim {

class ScopePlan {
 public:
  // Hosts 0 and 1 are full, and so are the liar and two that can be dialled.
  ScopePlan(const Options& options, const std::vector<bool>& behind_nat, Rng rng);

  // That of the host's next start; full for those that have no other.
  Scope next(HostIndex host);
  // Who the devices are, once they are.
  void set_devices(std::vector<DeviceId> devices) { devices_ = std::move(devices); }
  bool any() const { return !levels_.empty(); }

 private:
  static constexpr std::uint64_t kLevels = 3;  // but full
  Scope at(HostIndex host, std::uint64_t level) const;

  struct Partial {
    std::uint64_t level = 0;
    bool started = false;
    std::uint64_t draws = 0;  // what its topics and devices follow from
  };
  std::map<HostIndex, Partial> levels_;
  std::vector<DeviceId> devices_;
  bool move_;
  Rng rng_;
};

}  // namespace ebb::sim
