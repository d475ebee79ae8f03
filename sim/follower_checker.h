// FollowerChecker: on every host a local program follows all events, with a cursor of its own that
// outlives the host's restarts. It is given every event once, in the order of its log.
//
// Model:   the program asks again from its cursor after a start, and is woken by each commit; what
//          it is then given are the events between the positions that the commit names.
// Threads: not thread-safe; owned by one run.
#pragma once

#include <map>

#include "sim/observer.h"

namespace ebb::sim {

class FollowerChecker {
 public:
  explicit FollowerChecker(Findings& findings) : findings_(findings) {}  // must outlive it

  // The host's next start is with another store: its program begins again.
  void forget(HostIndex host) { cursors_.erase(host); }
  void opened(HostIndex host, const Storage& store);
  void committed(HostIndex host, const store::CommitResult& result);
  // At rest the program has been given all that is held.
  void check(HostIndex host, const Storage& store);

 private:
  Findings& findings_;
  std::map<HostIndex, std::map<LogId, Seq>> cursors_;
};

}  // namespace ebb::sim
