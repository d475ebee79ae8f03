// Lan: a segment of a local network, on which hosts of the run hear each other's beacons.
//
// Model:     each host of it says about each minute where it is, and all others of it that are up
//            and reached hear that as the engine's input, as the daemon hands it over. Somebody on
//            the segment repeats what was said before, and says what leads elsewhere.
// Ownership: all that World refers to must outlive it, and it the queue's actions.
// Threads:   not thread-safe; owned by one run.
// Spec:      docs/wire_format.md section 12
#pragma once

#include <string>
#include <vector>

#include "core/rng.h"
#include "sim/injector.h"

namespace ebb::sim {

class Lan {
 public:
  struct World {
    EventQueue& queue;
    Network& network;
    Hosts& hosts;
    FaultCounts& counts;
  };
  // Host 0, the one that is known to nobody otherwise, and others by chance.
  Lan(const World& world, const Options& options, Rng rng);

  void begin();
  const std::vector<HostIndex>& members() const { return members_; }

 private:
  void tell_again(HostIndex host);
  void tell(HostIndex host);
  // What comes with it, or instead.
  void disturb(HostIndex host);
  void say(HostIndex from, const std::string& address);
  bool happens(Fault fault);

  World world_;
  const Options& options_;
  Rng rng_;
  std::vector<HostIndex> members_;
  std::vector<std::string> said_;  // before, the newest last
};

}  // namespace ebb::sim
