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
#include <deque>
#include <optional>
#include <utility>
#include <vector>

#include "core/time.h"
#include "sim/action.h"

namespace ebb::sim {

class EventQueue {
 public:
  Instant now() const { return now_; }
  std::uint64_t executed() const { return executed_; }
  bool empty() const { return heap_.empty(); }
  // When the next action is due.
  std::optional<Instant> next() const {
    if (heap_.empty()) return std::nullopt;
    return heap_.front().when;
  }
  // Without running anything: for who keeps several queues at one time. It may lie before the last
  // action's, for what was done at that time and is told only now.
  void set_now(Instant now) { now_ = now; }

  // A time that has passed means now.
  void at(Instant when, Action action) {
    std::uint32_t slot = 0;
    if (free_.empty()) {
      slot = static_cast<std::uint32_t>(actions_.size());
      actions_.push_back(std::move(action));
    } else {
      slot = free_.back();
      free_.pop_back();
      actions_[slot] = std::move(action);
    }
    heap_.push_back({std::max(when, now_), order_++, slot});
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
    const Entry entry = heap_.back();
    heap_.pop_back();
    // Out of its slot first: it may ask for others, and they may take the slot.
    Action action = std::move(actions_[entry.slot]);
    free_.push_back(entry.slot);
    now_ = entry.when;
    ++executed_;
    action();
    return true;
  }

 private:
  struct Entry {
    Instant when;
    std::uint64_t order = 0;
    std::uint32_t slot = 0;
  };
  static bool later(const Entry& a, const Entry& b) {
    return std::pair(a.when, a.order) > std::pair(b.when, b.order);
  }

  std::vector<Entry> heap_;
  std::deque<Action> actions_;  // where entries keep them, so that the heap moves little
  std::vector<std::uint32_t> free_;
  Instant now_;
  std::uint64_t order_ = 0;
  std::uint64_t executed_ = 0;
};

}  // namespace ebb::sim
