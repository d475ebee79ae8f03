// WorkerPool: threads that do the same work on many things, again and again, with the caller.
//
// Model:     each() hands out numbers until there are none, and returns when all work is done. The
//            rounds of a simulation are some hundred microseconds long, so who waits looks again
//            and again for a while before it sleeps.
// Ownership: owns its threads.
// Threads:   each() by one thread, the one that made the pool. What it wrote before is seen by the
//            work, and what the work wrote is seen after it.
// Errors:    work must not throw: the process ends.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <thread>
#include <vector>

namespace ebb::sim {

class WorkerPool {
 public:
  // `threads`: the caller's among them; one has no other.
  explicit WorkerPool(std::size_t threads);
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  std::size_t threads() const { return workers_.size() + 1; }
  // Work on each of 0 .. count - 1, in any order and by any thread.
  void each(std::size_t count, const std::function<void(std::size_t)>& work);

 private:
  void run() noexcept;
  void take_all();

  // Each in a line of its own: all threads write them.
  alignas(64) std::atomic<std::uint32_t> round_ = 0;
  alignas(64) std::atomic<std::size_t> next_ = 0;
  alignas(64) std::atomic<std::uint32_t> busy_ = 0;
  std::size_t count_ = 0;
  const std::function<void(std::size_t)>* work_ = nullptr;  // null: the threads end
  std::vector<std::thread> workers_;
};

}  // namespace ebb::sim
