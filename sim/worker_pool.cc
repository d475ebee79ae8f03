#include "sim/worker_pool.h"

#include "core/check.h"

namespace ebb::sim {
namespace {

// Some 50 us: longer than the others usually take.
constexpr int kLooks = 4000;

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#endif
}

// Returns when it is another value.
void wait_for_change(const std::atomic<std::uint32_t>& value, std::uint32_t from) {
  for (int look = 0; look < kLooks; ++look) {
    if (value.load(std::memory_order_acquire) != from) return;
    relax();
  }
  while (value.load(std::memory_order_acquire) == from)
    value.wait(from, std::memory_order_acquire);
}

}  // namespace

WorkerPool::WorkerPool(std::size_t threads) {
  EBB_CHECK(threads > 0);
  for (std::size_t i = 1; i < threads; ++i)
    workers_.emplace_back([this] { run(); });
}

WorkerPool::~WorkerPool() {
  work_ = nullptr;
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  for (std::thread& worker : workers_)
    worker.join();
}

void WorkerPool::each(std::size_t count, const std::function<void(std::size_t)>& work) {
  // Waking the others would cost more than they do.
  if (workers_.empty() || count < 2) {
    for (std::size_t i = 0; i < count; ++i)
      work(i);
    return;
  }
  count_ = count;
  work_ = &work;
  next_.store(0, std::memory_order_relaxed);
  busy_.store(static_cast<std::uint32_t>(workers_.size()), std::memory_order_relaxed);
  round_.fetch_add(1, std::memory_order_release);
  round_.notify_all();
  take_all();
  for (std::uint32_t busy = busy_.load(std::memory_order_acquire); busy != 0;
       busy = busy_.load(std::memory_order_acquire)) {
    wait_for_change(busy_, busy);
  }
}

void WorkerPool::take_all() {
  for (std::size_t i = next_.fetch_add(1, std::memory_order_relaxed); i < count_;
       i = next_.fetch_add(1, std::memory_order_relaxed)) {
    (*work_)(i);
  }
}

void WorkerPool::run() noexcept {
  std::uint32_t seen = 0;
  while (true) {
    wait_for_change(round_, seen);
    ++seen;
    if (work_ == nullptr) return;
    take_all();
    if (busy_.fetch_sub(1, std::memory_order_release) == 1) busy_.notify_all();
  }
}

}  // namespace ebb::sim
