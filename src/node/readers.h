// Readers: a few read-only connections, used on workers.
//
// Model:     two lanes with connections of their own, so that a slow query does not hold up what a
//            peer has asked for. A connection is opened at its first use and kept.
// Ownership: destroy it only when idle().
// Threads:   call on the loop thread; `work` runs on a worker, `done` on the loop.
// Errors:    done: those of Reader::open; kBusy when too many wait, or queries were cancelled.
// Limits:    kQueriesWaiting a lane; a query ends after kQueryMs, as Reader::set_expired tells.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "core/result.h"
#include "node/uv_handles.h"
#include "store/reader.h"

namespace ebb::node {

class Readers {
 public:
  enum class Lane { kQuery, kEngine };
  using Work = std::function<void(const store::Reader&)>;
  using Done = std::function<void(Status)>;

  Readers(uv_loop_t* loop, std::string dir) : loop_(loop), dir_(std::move(dir)) {}
  ~Readers();
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  void run(Lane lane, Work work, Done done);
  // Ends the queries that run or wait: they are answered kBusy. What the engine reads goes on.
  void cancel_queries();
  // Nothing runs or waits.
  bool idle() const;

 private:
  struct Job {
    Work work;
    Done done;
    Status status;
    Lane lane;
    bool cancelled = false;
  };
  struct Slot {
    std::unique_ptr<store::Reader> reader;
    bool busy = false;
  };
  struct LaneState {
    std::array<Slot, 2> slots;
    std::deque<Job> waiting;
  };

  void start_next(LaneState& lane);
  void read(Slot& slot, Job& job);

  uv_loop_t* loop_;
  std::string dir_;
  std::array<LaneState, 2> lanes_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace ebb::node
