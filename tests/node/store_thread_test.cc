// What the store thread writes first, whatever waits.
#include "node/store_thread.h"

#include <doctest/doctest.h>
#include <uv.h>

#include <filesystem>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/rng.h"
#include "node/clocks.h"
#include "store/sqlite.h"
#include "tests/node/node_thread.h"
#include "tests/temp_dir.h"

namespace ebb::tests {
namespace {

using node::StoreThread;
using store::Store;

// A store thread on a loop that the test turns.
class Thread {
 public:
  Thread() : loop_(node::Loop::open().value()), inbox_(loop_->get()) {
    auto opened = open(dir_.path().string());
    before_ = opened->epoch();
    arrival_ = opened->arrival_head();
    thread_ = std::make_unique<StoreThread>(
        std::move(opened), inbox_,
        StoreThread::Reports{
            [this](node::CommitReport report) { reports.push_back(std::move(report)); }, [] {},
            [](const char*, const Error&) {}});
  }
  ~Thread() {
    bool stopped = false;
    thread_->stop([&stopped] { stopped = true; });
    turn_until([&stopped] { return stopped; });
  }
  Thread(const Thread&) = delete;
  Thread& operator=(const Thread&) = delete;

  StoreThread& operator*() { return *thread_; }
  void append(std::size_t events) {
    node::QueuedAppend append;
    append.batch = make_batch(events);
    append.events = events;
    append.done = [](const Result<std::vector<store::DotRange>>&) {};
    thread_->append(std::move(append));
  }
  // The thread does nothing until the promise is kept.
  std::promise<void> stand_still() {
    std::promise<void> go;
    auto stands = std::make_shared<std::promise<void>>();
    std::future<void> standing = stands->get_future();
    thread_->run([until = go.get_future().share(), stands](Store&) -> StoreThread::Answer {
      stands->set_value();
      until.wait();
      return [] {};
    });
    standing.wait();
    return go;
  }
  void turn_until(const std::function<bool()>& holds) {
    while (!holds())
      uv_run(loop_->get(), UV_RUN_ONCE);
  }
  void turn_until_reported(std::size_t count) {
    turn_until([this, count] { return reports.size() >= count; });
  }
  // What a process finds that starts after this one has died now.
  std::pair<StoreEpoch, Arrival> after_a_kill() const {
    const TempDir copy;
    for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with("ebb.db") && !name.ends_with("-shm")) {
        std::filesystem::copy_file(entry.path(), copy / name);
      }
    }
    const auto opened = open(copy.path().string());
    return {opened->epoch(), opened->arrival_head()};
  }
  StoreEpoch epoch_before() const { return before_; }
  Arrival arrival_before() const { return arrival_; }
  std::string dir() const { return dir_.path().string(); }

  std::vector<node::CommitReport> reports;

 private:
  std::unique_ptr<Store> open(const std::string& dir) const {
    store::StoreOptions options;
    options.dir = dir;
    options.random = [this] { return rng_.next(); };
    options.now = node::clock_reading();
    auto opened = Store::open(options, *identity_);
    if (!opened.ok()) FAIL(opened.error().message());
    return std::move(opened).value();
  }

  TempDir dir_;
  mutable Rng rng_{5};
  std::unique_ptr<trust::Identity> identity_ =
      trust::Identity::from_seed(Bytes(trust::kSeedBytes, 3)).value();
  std::unique_ptr<node::Loop> loop_;
  node::LoopInbox inbox_;
  StoreEpoch before_ = 0;
  Arrival arrival_ = 0;
  std::unique_ptr<StoreThread> thread_;
};

TEST_CASE("another epoch is written with what waits already, before any number is given") {
  Thread thread;
  auto go = thread.stand_still();
  thread.append(1);
  thread.append(2);
  (*thread).take_epoch();
  thread.append(3);
  // A process that dies here has given no number, in whichever epoch.
  CHECK(thread.after_a_kill() == std::pair(thread.epoch_before(), thread.arrival_before()));
  go.set_value();
  thread.turn_until_reported(1);
  const auto& first = thread.reports.at(0).result;
  REQUIRE(first.ok());
  CHECK(first->appends.size() == 3);
  CHECK(!first->advances.empty());
  REQUIRE(first->epoch);
  CHECK(*first->epoch != thread.epoch_before());
  CHECK(thread.after_a_kill().first == *first->epoch);
  CHECK(thread.after_a_kill().second > thread.arrival_before());
  const std::size_t reported = thread.reports.size();
  thread.append(1);
  thread.turn_until_reported(reported + 1);
  CHECK(!thread.reports.back().result->epoch);
}

TEST_CASE("another epoch alone is written at once") {
  Thread thread;
  (*thread).take_epoch();
  thread.turn_until_reported(1);
  REQUIRE(thread.reports.at(0).result.ok());
  CHECK(thread.reports.at(0).result->epoch);
  CHECK(thread.after_a_kill().second == thread.arrival_before());
}

TEST_CASE("while another epoch cannot be written nothing is, and then it comes first") {
  Thread thread;
  {
    // Another writer holds the database.
    auto other =
        store::Connection::open(thread.dir() + "/ebb.db", store::Connection::Mode::kReadWrite)
            .value();
    store::Transaction held(*other);
    REQUIRE(held.begin().ok());
    auto go = thread.stand_still();
    (*thread).take_epoch();
    thread.append(1);
    go.set_value();
    thread.turn_until_reported(1);
    CHECK(!thread.reports.at(0).result.ok());
  }
  CHECK(thread.after_a_kill() == std::pair(thread.epoch_before(), thread.arrival_before()));
  const std::size_t reported = thread.reports.size();
  bool begun = false;
  SUBCASE("with an append") { thread.append(1); }
  SUBCASE("with a job that stores something by itself") {
    (*thread).run_writing([&begun](Store& opened) -> StoreThread::Answer {
      const auto made =
          opened.begin_incarnation(codec::OpeningReason::kClock, node::clock_reading());
      return [&begun, taken = made.ok() && made->epoch] { begun = taken; };
    });
    thread.turn_until([&begun] { return begun; });
    CHECK(thread.after_a_kill().first != thread.epoch_before());
    return;
  }
  thread.turn_until_reported(reported + 1);
  REQUIRE(thread.reports.at(reported).result.ok());
  CHECK(thread.reports.at(reported).result->epoch);
}

}  // namespace
}  // namespace ebb::tests
