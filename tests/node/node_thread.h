// A Node on a thread of its own, as tests want it: calls go to its loop and come back, and a
// condition is waited for with a deadline.
//
// Model:     the thread starts the node, runs its loop and destroys it.
// Threads:   construct, call and destroy on the test's thread.
#pragma once

#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "node/node.h"

namespace ebb::tests {

class NodeThread {
 public:
  NodeThread(node::Home home, node::Config config);
  // Stops it when that has not happened.
  ~NodeThread();
  NodeThread(const NodeThread&) = delete;
  NodeThread& operator=(const NodeThread&) = delete;

  // How the start went; everything below needs it to be ok.
  const Status& started() const { return started_; }
  void stop();

  // Runs `task` on the loop and gives what it returns.
  template <class Task>
  auto on_loop(Task task) {
    using Value = std::invoke_result_t<Task, node::Node&>;
    auto promise = std::make_shared<std::promise<Value>>();
    std::future<Value> future = promise->get_future();
    post([promise, task](node::Node& node) { promise->set_value(task(node)); });
    return future.get();
  }
  // Appends and waits for the answer.
  Result<std::vector<store::DotRange>> append(store::AppendBatch batch);
  Hash digest();
  // Looks after each commit and each change that a timer sees; false when it never held.
  bool wait_until(std::function<bool(node::Node&)> holds);

 private:
  void post(std::function<void(node::Node&)> task);
  void main(node::Home home, node::Config config, std::promise<Status> started);
  void run_posted(node::Node& node);

  int wake_[2] = {-1, -1};
  std::mutex mutex_;
  std::vector<std::function<void(node::Node&)>> posted_;  // under mutex_
  node::Node* node_ = nullptr;                            // under mutex_; while it runs
  Status started_;
  std::thread thread_;
};

// Where it listens; whether it comes to hold so many events of programs (wait_until()).
std::string listen_of(NodeThread& node);
bool holds_events(NodeThread& node, std::uint64_t events);

// A fresh device in `dir`, of the mesh of `mesh_of` when that is not empty.
node::Home make_home(const std::string& dir, const std::string& mesh_of = "");
// Listens on any free port and dials `peers`.
node::Config make_config(std::vector<std::string> peers = {});
store::AppendBatch make_batch(std::size_t events, std::size_t payload_bytes = 8);

}  // namespace ebb::tests
