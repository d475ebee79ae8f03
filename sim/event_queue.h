// EventQueue: virtual time. Actions run in order of their time, and those of one time in the order
// in which they were asked for, so a run repeats exactly.
//
// Model:     run_next() moves now() to the next action's time and runs it; actions may add actions.
//            Nothing is ever taken back: an action that may have become stale checks that itself.
// Units:     Instant since the start of the simulation.
// Ownership: owns the actions; what they refer to must outlive the queue or the check they make.
// Threads:   not thread-safe; owned by one run.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "core/time.h"

namespace ebb::sim {

class EventQueue {
 public:
  using Action = std::function<void()>;

  Instant now() const { return now_; }
  std::uint64_t executed() const { return executed_; }
  bool empty() const { return heap_.empty(); }

  // A time that has passed means now.
  void at(Instant when, Action action) {
    heap_.push_back({std::max(when, now_), order_++, std::move(action)});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }
  void after(Duration delay, Action action) { at(now_ + delay, std::move(action)); }

  // False when nothing is due up to and including `limit`; now() is then `limit`.
  bool run_next(Instant limit) {
    if (heap_.empty() || heap_.front().when > limit) {
      now_ = std::max(now_, limit);
      return false;
    }
    std::pop_heap(heap_.begin(), heap_.end(), later);
    Entry entry = std::move(heap_.back());
    heap_.pop_back();
    now_ = entry.when;
    ++executed_;
    entry.action();
    return true;
  }

 private:
  struct Entry {
    Instant when;
    std::uint64_t order = 0;
    Action action;
  };
  static bool later(const Entry& a, const Entry& b) {
    return std::pair(a.when, a.order) > std::pair(b.when, b.order);
  }

  std::vector<Entry> heap_;
  Instant now_;
  std::uint64_t order_ = 0;
  std::uint64_t executed_ = 0;
};

}  // namespace ebb::sim
