// ScopeView: the held heads that two nodes both take part in, as a set with sums over ranges of
// ids. Made where one of the two has not all logs; of two full ones it is the table of heads
// itself.
//
// Model:   the logs of topics that both have of every device are the trees of those topics, which
//          all views share. What else both have is of a few devices that can be named: a tree of
//          the view's own.
// Ownership: the table of heads must outlive it, and tells it of heads that move (moved()).
// Threads: not thread-safe; part of the engine.
// Spec:    docs/wire_format.md section 11
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <vector>

#include "core/id_prefix.h"
#include "core/ids.h"
#include "core/scope.h"
#include "mesh/head_table.h"
#include "trust/fingerprint_tree.h"

namespace ebb::mesh {

struct ScopeOwner {
  Scope scope;
  DeviceId device;
  bool own_only = false;  // not even the control logs of others
  bool covers(const LogKey& log) const {
    return own_only ? log.device == device : ebb::covers(scope, device, log);
  }
  bool is_full() const { return scope.is_full() && !own_only; }
};

class ScopeView {
 public:
  // One of the two is not full.
  ScopeView(HeadTable& heads, ScopeOwner mine, ScopeOwner theirs);

  bool covers(const LogKey& log) const { return mine_.covers(log) && theirs_.covers(log); }
  trust::FingerprintSum whole() const { return sum(IdPrefix{}); }
  trust::FingerprintSum sum(const IdPrefix& prefix) const;
  // Ids from `first` to `last`, in order, at most `most` of them.
  std::vector<LogId> list(const LogId& first, const LogId& last, std::size_t most) const;
  // The head has moved in the table.
  void moved(const StoredHead& head);

 private:
  const HeadTable* heads_;
  ScopeOwner mine_, theirs_;
  std::set<std::string> topics_;  // of every device
  trust::FingerprintTree rest_;
};

}  // namespace ebb::mesh
