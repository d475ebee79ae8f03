// ConvergenceChecker: after the faults, all hosts mean the same, and every acknowledged event is on
// every one of them as its client asked for.
//
// Model:   agree() is cheap and asked again and again until it says yes; check() reads every event
//          of every store, once, at the end.
// Threads: not thread-safe; owned by one run.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/fork.h"
#include "sim/injector.h"
#include "sim/ledger.h"
#include "sim/observer.h"

namespace ebb::sim {

class ConvergenceChecker {
 public:
  ConvergenceChecker(const Ledger& ledger, Findings& findings)
      : ledger_(ledger), findings_(findings) {}  // both must outlive it

  // All hosts run, nothing waits for a disk, and roots, counts and digests are equal; who takes
  // part in some logs only holds these as the others do. With a fork: those of all but its host
  // are, and that one holds all logs as they do but the forked ones.
  static bool agree(Hosts& hosts, const std::optional<Fork>& fork = std::nullopt);
  // Adds a finding for each difference. `branch` is what the fork's host has promised on its own.
  void check(Hosts& hosts, const std::optional<Fork>& fork = std::nullopt,
             const Ledger& branch = {});

 private:
  void check_same(Hosts& hosts, const std::optional<Fork>& fork);
  static std::set<LogId> scope_of(Hosts& hosts, const std::optional<Fork>& fork, HostIndex index);
  void check_scope(HostIndex index, const Host& host, const Host& whole);
  void check_same_logs(Hosts& hosts, const Fork& fork);
  void check_promises(HostIndex index, Host& host, const Ledger& ledger,
                      const std::function<bool(const Dot&)>& concerns);

  const Ledger& ledger_;
  Findings& findings_;
};

}  // namespace ebb::sim
