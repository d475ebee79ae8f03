#include "tests/node/node_thread.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <unistd.h>

#include "codec/value.h"
#include "node/clocks.h"

namespace ebb::tests {
namespace {

constexpr Duration kLookAgain = milliseconds(10);
constexpr Duration kPatience = seconds(30);

// Kept alive by its own callbacks until the condition holds or the time is up.
struct Waiting : std::enable_shared_from_this<Waiting> {
  std::function<bool(node::Node&)> holds;
  std::promise<bool> answer;
  node::Node* node = nullptr;
  node::Node::SubscriptionId subscription = 0;
  std::unique_ptr<node::Node::Watch> timer;
  Instant deadline;
  bool done = false;

  void look() {
    if (done) return;
    const bool held = holds(*node);
    if (!held && node->now() < deadline) {
      timer = node->call_after(kLookAgain, [self = shared_from_this()] { self->look(); });
      return;
    }
    done = true;
    timer.reset();
    node->unsubscribe(subscription);
    answer.set_value(held);
  }
};

}  // namespace

NodeThread::NodeThread(node::Home home, node::Config config) {
  REQUIRE(::pipe2(wake_, O_CLOEXEC | O_NONBLOCK) == 0);
  std::promise<Status> started;
  std::future<Status> future = started.get_future();
  thread_ = std::thread([this, home = std::make_shared<node::Home>(std::move(home)),
                         config = std::move(config),
                         promise = std::make_shared<std::promise<Status>>(std::move(started))] {
    main(std::move(*home), config, std::move(*promise));
  });
  started_ = future.get();
}

NodeThread::~NodeThread() {
  stop();
  ::close(wake_[0]);
  ::close(wake_[1]);
}

void NodeThread::stop() {
  if (!thread_.joinable()) return;
  {
    // The node may have ended by itself, and must not go while it is asked to.
    const std::lock_guard<std::mutex> lock(mutex_);
    if (node_ != nullptr) node_->request_stop();
  }
  thread_.join();
}

void NodeThread::main(node::Home home, node::Config config, std::promise<Status> started) {
  auto node = node::Node::start(std::move(home), std::move(config));
  if (!node.ok()) {
    started.set_value(node.error());
    return;
  }
  node::Node& running = **node;
  const auto watch = running.watch_readable(wake_[0], [this, &running] { run_posted(running); });
  const auto set_node = [this](node::Node* to) {
    const std::lock_guard<std::mutex> lock(mutex_);
    node_ = to;
  };
  set_node(&running);
  started.set_value({});
  running.run();
  set_node(nullptr);
}

void NodeThread::run_posted(node::Node& node) {
  char drained[64];
  while (::read(wake_[0], drained, sizeof drained) > 0) {
  }
  std::vector<std::function<void(node::Node&)>> tasks;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    tasks.swap(posted_);
  }
  for (const auto& task : tasks)
    task(node);
}

void NodeThread::post(std::function<void(node::Node&)> task) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    posted_.push_back(std::move(task));
  }
  REQUIRE(::write(wake_[1], "", 1) == 1);
}

Result<std::vector<store::DotRange>> NodeThread::append(store::AppendBatch batch) {
  using Answer = Result<std::vector<store::DotRange>>;
  auto promise = std::make_shared<std::promise<Answer>>();
  std::future<Answer> future = promise->get_future();
  post([promise, batch](node::Node& node) {
    node.append(batch, [promise](Answer answer) { promise->set_value(std::move(answer)); });
  });
  return future.get();
}

Hash NodeThread::digest() {
  auto promise = std::make_shared<std::promise<Result<Hash>>>();
  std::future<Result<Hash>> future = promise->get_future();
  post([promise](node::Node& node) {
    node.digest([promise](Result<Hash> digest) { promise->set_value(std::move(digest)); });
  });
  return future.get().value();
}

bool NodeThread::wait_until(std::function<bool(node::Node&)> holds) {
  auto waiting = std::make_shared<Waiting>();
  waiting->holds = std::move(holds);
  std::future<bool> answer = waiting->answer.get_future();
  post([waiting](node::Node& node) {
    waiting->node = &node;
    waiting->deadline = node.now() + kPatience;
    waiting->subscription = node.subscribe([waiting](const node::CommitNews&) { waiting->look(); });
    waiting->look();
  });
  return answer.get();
}

node::Home make_home(const std::string& dir, const std::string& mesh_of) {
  node::InitOptions options;
  options.dir = dir;
  options.name = "test";
  options.now = node::wall_now();
  if (mesh_of.empty()) options.admit = trust::Admit::kSecret;
  if (!mesh_of.empty()) options.mesh_file = node::export_mesh(mesh_of).value();
  return node::init_home(options).value();
}

node::Config make_config(std::vector<std::string> peers) {
  node::Config config;
  config.listen = "127.0.0.1:0";
  config.listen_configured = true;
  config.peers = std::move(peers);
  return config;
}

std::string listen_of(NodeThread& node) {
  return node.on_loop([](node::Node& n) { return n.status().listen; });
}

bool holds_events(NodeThread& node, std::uint64_t events) {
  return node.wait_until([events](node::Node& n) {
    const node::NodeStatus status = n.status();
    return status.events_held - status.records_held == events;
  });
}

store::AppendBatch make_batch(std::size_t events, std::size_t payload_bytes) {
  store::AppendBatch batch;
  for (std::size_t i = 0; i < events; ++i) {
    store::AppendEvent event;
    event.type = "page_view";
    codec::Writer(event.payload).str(std::string(payload_bytes, 'x'));
    batch.items.emplace_back(std::move(event));
  }
  return batch;
}

}  // namespace ebb::tests
