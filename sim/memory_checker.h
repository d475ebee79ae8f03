// MemoryChecker: an engine, and what waits before and behind it, stay under their bounds whatever
// happens: measured on the heap and in the driver's queues, not asked of the engine.
//
// Units:   bytes.
// Limits:  those of core/limits.h for queues; beyond them an engine has room for what it knows of
//          logs and links.
// Threads: not thread-safe; owned by one run.
#pragma once

#include <cstdint>

#include "sim/observer.h"

namespace ebb::sim {

struct MemoryUse {
  std::int64_t engine = 0;  // on the heap, what it has handed out and nobody has freed included
  std::size_t commit_queue = 0;  // segments that wait for the disk
  std::size_t send_queue = 0;    // bytes that wait for sockets
  std::size_t logs = 0;          // that the disk holds
};

class MemoryChecker {
 public:
  explicit MemoryChecker(Findings& findings) : findings_(findings) {}  // must outlive it

  // At any time; at rest, when nothing waits and nothing is under way.
  void check(HostIndex host, const MemoryUse& use);
  void check_at_rest(HostIndex host, const MemoryUse& use);
  std::int64_t engine_max() const { return engine_max_; }
  std::int64_t engine_max_at_rest() const { return engine_max_at_rest_; }

 private:
  void hold(HostIndex host, const char* what, std::uint64_t bytes, std::uint64_t most);

  Findings& findings_;
  std::int64_t engine_max_ = 0;
  std::int64_t engine_max_at_rest_ = 0;
};

}  // namespace ebb::sim
