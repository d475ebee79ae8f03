#include "node/loop_inbox.h"

#include <utility>

namespace ebb::node {

LoopInbox::LoopInbox(uv_loop_t* loop) : wake_(loop, [this] { drain(); }) {}

void LoopInbox::post(std::function<void()> task) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  wake_.send();
}

void LoopInbox::drain() {
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    tasks.swap(tasks_);
  }
  for (const std::function<void()>& task : tasks)
    task();
}

}  // namespace ebb::node
