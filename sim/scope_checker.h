// ScopeChecker: no host stores what it does not take part in.
//
// Model:   judges what each commit has brought, by the scope that the host runs with.
// Threads: not thread-safe; owned by one run.
#pragma once

#include "core/scope.h"
#include "sim/observer.h"

namespace ebb::sim {

class ScopeChecker {
 public:
  explicit ScopeChecker(Findings& findings) : findings_(findings) {}  // must outlive it

  void committed(HostIndex host, const DeviceId& device, const Scope& scope,
                 const store::CommitResult& result);

 private:
  Findings& findings_;
};

}  // namespace ebb::sim
