// CursorChecker: nobody believes to be further than its disk: a stored cursor (peer, arrival) means
// that everything the peer's disk took up to that arrival is on this disk too, and nothing is
// folded that is not stored.
//
// Model:   exact, not sampled by time: of a log the peer has one arrival number, that of its last
//          move; where that is at or below the cursor, the head has not moved since.
// Threads: not thread-safe; owned by one run.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "sim/fork.h"
#include "sim/injector.h"
#include "sim/observer.h"

namespace ebb::sim {

class CursorChecker {
 public:
  explicit CursorChecker(Findings& findings) : findings_(findings) {}  // must outlive it

  // The peer's arrival numbers may begin again under the same store epoch: a cursor into that
  // epoch proves nothing any more.
  void retire_epoch(StoreEpoch epoch) { void_.insert(epoch); }
  // Nothing is folded that is not stored.
  void check_applied(const Hosts& hosts);
  // That, and every cursor of every host that runs, against the disks of those that run.
  void check(const Hosts& hosts, const std::optional<Fork>& fork = std::nullopt);

 private:
  using Heads = std::vector<std::vector<store::HeadRecord>>;  // one entry a host
  void check_cursors(HostIndex index, const Hosts& hosts, const Heads& heads,
                     const std::optional<Fork>& fork);

  Findings& findings_;
  std::set<StoreEpoch> void_;
};

}  // namespace ebb::sim
