// ConvergenceChecker: after the faults, all hosts mean the same, and every acknowledged event is on
// every one of them as its client asked for.
//
// Model:   agree() is cheap and asked again and again until it says yes; check() reads every event
//          of every store, once, at the end.
// Threads: not thread-safe; owned by one run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/injector.h"
#include "sim/ledger.h"
#include "sim/observer.h"

namespace ebb::sim {

class ConvergenceChecker {
 public:
  ConvergenceChecker(const Ledger& ledger, Findings& findings)
      : ledger_(ledger), findings_(findings) {}  // both must outlive it

  // All hosts run, nothing waits for a disk, and roots, counts and digests are equal.
  static bool agree(Hosts& hosts);
  // Adds a finding for each difference.
  void check(Hosts& hosts);

 private:
  void check_same(Hosts& hosts);
  void check_promises(HostIndex index, Host& host);

  const Ledger& ledger_;
  Findings& findings_;
};

}  // namespace ebb::sim
