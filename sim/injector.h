// Injector: does planned faults to a run. One for each part of the world that can break; who adds
// a class adds its row to the tables and, where none of these knows it, an injector of its own.
//
// Model:     inject() is called at the fault's time and never after calm(). What lasts ends by
//            itself or with calm(), whichever comes first. A fault that is impossible just now (a
//            kill of a host that is down) is not counted.
// Ownership: all that FaultWorld refers to must outlive the injectors and the queue's actions.
// Threads:   not thread-safe; owned by one run.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "sim/fault_plan.h"
#include "sim/host.h"

namespace ebb::sim {

using Hosts = std::vector<std::unique_ptr<Host>>;

struct FaultWorld {
  EventQueue& queue;
  Network& network;
  Hosts& hosts;
  FaultCounts& counts;
  Trace& trace;
  // Starts a host that is down; trouble when it does not come up.
  std::function<void(HostIndex)> start;
  // What the host promised may be gone with its disk: it comes back with an older store, or none.
  std::function<void(HostIndex)> store_replaced;
  // The same, and it is none.
  std::function<void(HostIndex)> store_erased;
};

class Injector {
 public:
  virtual ~Injector() = default;
  // False when the class is another's.
  virtual bool inject(const PlannedFault& fault) = 0;
  virtual void calm() {}
};

std::unique_ptr<Injector> make_path_faults(const FaultWorld& world);
std::unique_ptr<Injector> make_host_faults(const FaultWorld& world);
std::unique_ptr<Injector> make_clock_faults(const FaultWorld& world);
std::unique_ptr<Injector> make_disk_faults(const FaultWorld& world);

}  // namespace ebb::sim
