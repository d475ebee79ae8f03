// QuotaChecker: where one host writes more than its quota, nobody else holds more of it than that,
// and everything else is everywhere.
//
// Model:   of a run within one day. How far each host has come with the logs of the host that
//          floods may differ; it holds all of them itself.
// Threads: not thread-safe; owned by one run.
#pragma once

#include <cstdint>

#include "sim/injector.h"
#include "sim/observer.h"

namespace ebb::sim {

class QuotaChecker {
 public:
  explicit QuotaChecker(Findings& findings) : findings_(findings) {}  // must outlive it

  // All hosts run, nothing waits for a disk, and they hold the same but for the flood.
  static bool agree(const Hosts& hosts, HostIndex flooder);
  // `events_max`: the quota.
  void check(const Hosts& hosts, HostIndex flooder, std::uint64_t events_max);

 private:
  Findings& findings_;
};

}  // namespace ebb::sim
