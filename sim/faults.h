// FaultCounts: what was done to a run, counted by class, so that a run without faults cannot pass
// for a hard one.
//
// Threads: value; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace ebb::sim {

enum class Fault : std::uint8_t {
  kDatagramLost,
  kDatagramDuplicated,
  kDatagramReordered,
  kStreamDelayed,    // a lost packet of a stream: everything behind it waits
  kStreamReset,      // both ends see the connection end, bytes under way are gone
  kPartition,        // nothing passes between two groups, both ways
  kPartitionOneWay,  // nothing passes from one group to the other
  kIsolation,        // one host is cut off
  kCleanStop,
  kKill,       // the process ends between two instructions; the machine closes its connections
  kPowerLoss,  // the host is gone without a word to anyone
  kDiskStall,
  kDiskFull,
  kLateStart,  // a host that joins with an empty store when others have long begun
};
inline constexpr std::size_t kFaultClasses = 14;

inline std::string_view fault_name(Fault fault) {
  constexpr std::array<std::string_view, kFaultClasses> kNames = {
      "datagram_lost",      "datagram_duplicated",
      "datagram_reordered", "stream_delayed",
      "stream_reset",       "partition",
      "partition_one_way",  "isolation",
      "clean_stop",         "kill",
      "power_loss",         "disk_stall",
      "disk_full",          "late_start"};
  return kNames[static_cast<std::size_t>(fault)];
}

class FaultCounts {
 public:
  void count(Fault fault) { ++counts_[static_cast<std::size_t>(fault)]; }
  std::uint64_t of(Fault fault) const { return counts_[static_cast<std::size_t>(fault)]; }
  std::uint64_t total() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t n : counts_)
      sum += n;
    return sum;
  }
  void add(const FaultCounts& other) {
    for (std::size_t i = 0; i < kFaultClasses; ++i)
      counts_[i] += other.counts_[i];
  }

 private:
  std::array<std::uint64_t, kFaultClasses> counts_{};
};

}  // namespace ebb::sim
