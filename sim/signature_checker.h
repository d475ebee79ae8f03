// SignatureChecker: what a host holds of others has been signed by them.
//
// Model:   judges by the heads on the host's disk, at rest: whatever was forged below a head is in
//          its chain. Nothing follows a forged head that its author has signed, so it stays one.
//          An event that is not valid ends a log, and no host of a run writes one.
// Threads: not thread-safe; owned by one run.
#pragma once

#include <map>

#include "sim/observer.h"
#include "sim/stand_in_identity.h"

namespace ebb::sim {

class SignatureChecker {
 public:
  // `real`: the run's signatures are those of the daemon. `findings` must outlive it.
  SignatureChecker(bool real, Findings& findings) : real_(real), findings_(findings) {}

  void check_at_rest(HostIndex host, const Storage& store);

 private:
  // A head that was good at one host need not be judged at the others.
  struct Good {
    Position position;
    Hlc hlc;
    Signature signature;
    bool operator==(const Good&) const = default;
  };

  bool holds(const store::HeadRecord& head);

  bool real_;
  StandInCheck stand_in_check_;
  trust::SignatureCheck real_check_;
  std::map<LogId, Good> good_;
  Findings& findings_;
};

}  // namespace ebb::sim
