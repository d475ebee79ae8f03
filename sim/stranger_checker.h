// StrangerChecker: who is no member is nobody: he gets no byte without the mac, no more than one
// message with one that he has overheard, reads nothing, and no host takes him for a device.
//
// Model:   judges from what came to strangers, and from what hosts say of whom they know. That they
//          blame nobody else for it, and agree all the same, others judge.
// Threads: not thread-safe; owned by one run.
#pragma once

#include <set>
#include <vector>

#include "sim/injector.h"
#include "sim/observer.h"

namespace ebb::sim {

class StrangerChecker {
 public:
  explicit StrangerChecker(Findings& findings) : findings_(findings) {}  // must outlive it

  // `hides`: what hosts send names none of them, as the channel is a real one.
  void set(const std::vector<DeviceId>& strangers, std::vector<DeviceId> hosts, bool hides);

  // The host has sent something to who has no mac; more than an answer to who repeats one; what a
  // stranger can read.
  void answered(HostIndex host);
  void went_on(HostIndex host);
  void was_read(HostIndex host);
  // Has come to a stranger from there.
  void passed(HostIndex host, ByteView bytes);

  void check(const Hosts& hosts);
  void check_at_rest(const Hosts& hosts);

 private:
  bool is_stranger(const std::optional<DeviceId>& device) const {
    return device && strangers_.contains(*device);
  }
  Findings& findings_;
  std::set<DeviceId> strangers_;
  std::vector<DeviceId> hosts_;
  bool hides_ = false;
};

}  // namespace ebb::sim
