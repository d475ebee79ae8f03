// StampChecker: nobody stamps events further ahead of the time than its own clock, the date of
// its program, or what its peers said the time is, with the bound by which stamps of others pull.
//
// Model:   a host is held to the furthest that any reading was ahead so far: a clock that was set
//          back goes on from its last stamp.
// Units:   virtual time is the time; clocks are ahead of it or behind.
// Threads: not thread-safe; owned by one run.
#pragma once

#include <cstdint>
#include <map>

#include "core/time.h"
#include "sim/observer.h"

namespace ebb::sim {

class StampChecker {
 public:
  explicit StampChecker(Findings& findings) : findings_(findings) {}  // must outlive it

  // The host's clock shows it, or its peers do.
  void read(Instant now, HostIndex host, WallTime wall);
  void committed(Instant now, HostIndex host, const store::CommitResult& result);

 private:
  Findings& findings_;
  std::map<HostIndex, std::int64_t> ahead_ms_;  // at the most
};

}  // namespace ebb::sim
