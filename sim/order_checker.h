// OrderChecker: heads never go back, not even over a restart; a position of a log has one chain on
// all hosts; arrival numbers of one epoch only rise, and none is given in an epoch of which it is
// known that they were given before.
//
// Threads: not thread-safe; owned by one run.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <utility>

#include "sim/fork.h"
#include "sim/observer.h"

namespace ebb::sim {

class OrderChecker {
 public:
  explicit OrderChecker(Findings& findings) : findings_(findings) {}  // must outlive it

  // The host's next start is with an old store. What others saw of its logs stays known.
  void forget(HostIndex host) {
    hosts_.erase(host);
    epochs_gone_.erase(host);
  }
  // With none: the epochs that its disks had until now are not given again.
  void erased(HostIndex host);
  // From now on the host may have a branch of these logs: it is held to that alone, as the others
  // are to theirs.
  void expect_fork(const Fork& fork) { fork_ = fork; }
  // Whether the host's disk was last seen to hold it.
  bool holds(HostIndex host, const Dot& dot) const;
  void opened(HostIndex host, const Storage& store);
  void committed(HostIndex host, const store::CommitResult& result);
  // The host knows; what was being committed at that time may still go into that epoch.
  void epoch_doubted(HostIndex host, bool is_committing);

 private:
  struct Known {
    std::map<LogId, Position> heads;
    StoreEpoch epoch = 0;
    Arrival arrival = 0;
    bool is_doubted = false;
    bool is_committing = false;  // something that began before the doubt
  };
  void one_chain(HostIndex host, const LogId& log, const Position& position);
  void judge_epoch(HostIndex host, const store::CommitResult& result);
  void arrived(HostIndex host, Arrival arrival);

  Findings& findings_;
  std::map<HostIndex, Known> hosts_;
  std::map<HostIndex, std::set<StoreEpoch>> epochs_gone_;
  std::map<std::pair<LogId, Seq>, Hash> chains_;
  std::optional<Fork> fork_;
  std::map<std::pair<LogId, Seq>, Hash> branch_chains_;
};

}  // namespace ebb::sim
