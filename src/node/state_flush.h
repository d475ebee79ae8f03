// StateFlush: has the store write its state for the queries that want it, for all that wait at
// once.
//
// Model:     a query waits for a flush that began after the last change that it has to see. So
//            many share one; the next begins kFlushEvery after the last began at the earliest; and
//            none is asked for while nothing was committed since.
// Ownership: `flush` asks the store and calls back on the loop; it must stay valid.
// Threads:   not thread-safe; call on the loop thread.
// Errors:    those of the flush; kBusy when too many wait or the node stops.
// Limits:    kQueriesWaiting.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "core/result.h"
#include "core/time.h"
#include "node/uv_handles.h"

namespace ebb::node {

class StateFlush {
 public:
  using Done = std::function<void(Status)>;
  StateFlush(uv_loop_t* loop, std::function<void(Done)> flush);
  StateFlush(const StateFlush&) = delete;
  StateFlush& operator=(const StateFlush&) = delete;

  // Something was committed that is not in the written state.
  void note_change() { dirty_ = true; }
  // False: what is written holds all that was committed.
  bool needed() const { return dirty_ || in_flight_; }
  // Only while needed().
  void wait(Done done);
  // Answers those for whom no flush has begun, and begins none any more.
  void stop();

 private:
  void begin_if_due();
  void ended(const Status& status);

  std::function<void(Done)> flush_;
  Timer timer_;
  std::vector<Done> waiting_;  // for the next one
  std::vector<Done> running_;  // for the one in flight
  std::optional<Instant> begun_;
  bool dirty_ = true;
  bool in_flight_ = false;
  bool stopped_ = false;
};

}  // namespace ebb::node
