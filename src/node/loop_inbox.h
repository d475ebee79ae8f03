// LoopInbox: how other threads, and callers that must not be called back at once, hand work to the
// loop.
//
// Model:   a queue of functions, run on the loop in the order of posting.
// Threads: post() from any thread; the rest on the loop thread. Functions are destroyed on the
//          loop.
// Limits:  what may wait is bounded by those who post: each answers a request that was bounded.
#pragma once

#include <functional>
#include <mutex>
#include <vector>

#include "node/uv_handles.h"

namespace ebb::node {

class LoopInbox {
 public:
  explicit LoopInbox(uv_loop_t* loop);
  void post(std::function<void()> task);

 private:
  void drain();

  Async wake_;
  std::mutex mutex_;
  std::vector<std::function<void()>> tasks_;  // under mutex_
};

}  // namespace ebb::node
