// DurabilityChecker: what a host's clients were told is stored is there after every restart, as it
// was asked for, and its sequence numbers are not given again.
//
// Threads: not thread-safe; owned by one run.
#pragma once

#include <cstdint>
#include <map>

#include "sim/ledger.h"
#include "sim/observer.h"

namespace ebb::sim {

class DurabilityChecker {
 public:
  DurabilityChecker(const Ledger& ledger, Findings& findings)
      : ledger_(ledger), findings_(findings) {}  // both must outlive it

  // The host's next start is with an old store: what it promised until now it has to fetch again,
  // so that others are held to it, and it is not.
  void forgive(HostIndex host) { forgiven_until_[host] = ledger_.answered(); }
  void opened(HostIndex host, const Storage& store);

 private:
  const Ledger& ledger_;
  Findings& findings_;
  std::map<HostIndex, std::uint64_t> forgiven_until_;
};

}  // namespace ebb::sim
