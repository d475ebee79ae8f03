// HeapMeter: how many bytes of the heap each owner holds, seen from outside: every allocation made
// while an owner is named counts for it until it is freed, whoever frees it.
//
// Model:   this program's operator new and delete are replaced (heap_meter.cc). Allocations with an
//          alignment of their own, and those of C libraries, are not seen. Small blocks that were
//          freed wait for the next of their size on the thread that freed them, up to a bound, but
//          not under sanitizers. With ThreadSanitizer nothing is counted.
// Threads: owners are named per thread, and counted per thread: counts mean something where a run
//          stays on one thread, as those with checkers do.
// Limits:  kHeapOwners; more share the last.
#pragma once

#include <cstddef>
#include <cstdint>

namespace ebb::sim {

inline constexpr std::uint32_t kHeapOwners = 4096;

// Owner 0 is nobody.
std::int64_t heap_bytes(std::uint32_t owner);

// Names the owner for a scope.
class HeapOwner {
 public:
  explicit HeapOwner(std::uint32_t owner);
  ~HeapOwner();
  HeapOwner(const HeapOwner&) = delete;
  HeapOwner& operator=(const HeapOwner&) = delete;

 private:
  std::uint32_t before_;
};

}  // namespace ebb::sim
