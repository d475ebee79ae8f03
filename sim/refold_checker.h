// RefoldChecker: the digest depends on the set of events alone. What a store holds is folded again
// from nothing, its logs woven into each other in another order and with repeats, and has to give
// the same digest.
//
// Threads: not thread-safe; owned by one run.
#pragma once

#include "core/rng.h"
#include "sim/observer.h"

namespace ebb::sim {

class RefoldChecker {
 public:
  RefoldChecker(Rng rng, Findings& findings) : rng_(rng), findings_(findings) {}  // as above

  void check(HostIndex host, Storage& store);

 private:
  Rng rng_;
  Findings& findings_;
};

}  // namespace ebb::sim
