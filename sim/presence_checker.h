// PresenceChecker: what a store says of where devices are is the newest that the control logs it
// holds say.
//
// Threads: not thread-safe; owned by one run.
#pragma once

#include "sim/observer.h"

namespace ebb::sim {

class PresenceChecker {
 public:
  explicit PresenceChecker(Findings& findings) : findings_(findings) {}  // must outlive it

  void check(HostIndex host, const Storage& store);

 private:
  Findings& findings_;
};

}  // namespace ebb::sim
