// A node whose clock was wrong, among others that tell it so; and what its store thread gives back.
#include <doctest/doctest.h>

#include <future>
#include <memory>
#include <vector>

#include "node/clocks.h"
#include "node/store_thread.h"
#include "tests/node/node_thread.h"
#include "tests/temp_dir.h"

namespace {

using ebb::node::Home;
using ebb::node::Loop;
using ebb::node::LoopInbox;
using ebb::node::Node;
using ebb::node::QueuedAppend;
using ebb::node::StoreThread;
using ebb::store::Store;
using ebb::tests::make_batch;
using ebb::tests::make_config;
using ebb::tests::make_home;
using ebb::tests::NodeThread;
using ebb::tests::TempDir;

constexpr std::int64_t kTenYears = std::int64_t{3650} * 24 * 3600 * 1000;

std::unique_ptr<Store> open_store(const Home& home, std::int64_t off_ms) {
  ebb::store::StoreOptions options;
  options.dir = home.paths.store;
  options.mesh = home.mesh;
  options.random = [n = std::uint64_t{0}]() mutable { return ++n; };
  options.now = ebb::node::clock_reading();
  options.now.wall.ms += off_ms;
  return Store::open(options, *home.identity).value();
}

TEST_CASE(
    "a node whose stamps are ten years ahead is set right as soon as three peers are linked") {
  const TempDir dir;
  // Another one is the issuer: it would not believe its own clock.
  const Home first = make_home(dir / "b");
  {
    const Home home = make_home(dir / "a", dir / "b");
    const auto store = open_store(home, kTenYears);
    ebb::store::CommitBatch batch;
    batch.appends.push_back(make_batch(2));
    batch.now = ebb::node::clock_reading();
    batch.now.wall.ms += kTenYears;
    REQUIRE(store->commit(batch).ok());
  }
  std::vector<std::unique_ptr<NodeThread>> others;
  std::vector<std::string> addresses;
  for (const char* name : {"b", "c", "d"}) {
    Home home = others.empty() ? ebb::node::load_home(dir / name).value()
                               : make_home(dir / name, dir / "b");
    others.push_back(std::make_unique<NodeThread>(std::move(home), make_config(addresses)));
    addresses.push_back(others.back()->on_loop([](Node& n) { return n.status().listen; }));
  }
  NodeThread a(ebb::node::load_home(dir / "a").value(), make_config());
  REQUIRE(a.started().ok());
  const auto before = a.on_loop([](Node& n) { return n.status(); });
  CHECK(before.clock.suspect);
  a.on_loop([addresses](Node& n) {
    for (const std::string& address : addresses)
      REQUIRE(n.add_peer(address).ok());
    return true;
  });
  // Nothing is appended: the repair comes by itself.
  REQUIRE(a.wait_until([old = before.incarnation](Node& n) {
    return n.status().incarnation != old && !n.status().clock.suspect;
  }));
  const auto now = ebb::node::clock_reading().wall.ms;
  const auto rows = std::make_shared<std::vector<std::int64_t>>();
  auto promise = std::make_shared<std::promise<bool>>();
  auto future = promise->get_future();
  a.on_loop([promise, rows](Node& n) {
    n.query(
        false,
        [rows](const ebb::store::Reader& reader) {
          const auto result =
              reader.sql("SELECT ts_corrected FROM events WHERE topic='events'", {});
          REQUIRE(result.ok());
          for (const auto& row : result->rows)
            rows->push_back(std::get<std::int64_t>(row[0]));
        },
        [promise](const ebb::Status& status) { promise->set_value(status.ok()); });
    return true;
  });
  REQUIRE(future.get());
  REQUIRE(rows->size() == 2);
  for (const std::int64_t time : *rows)
    CHECK(std::abs(time - now) < 60000);
}

TEST_CASE("appends that are queued when a rollback is found are given back, not stored") {
  const TempDir dir;
  const Home home = make_home(dir / "a");
  auto loop = Loop::open().value();
  LoopInbox inbox(loop->get());
  std::size_t committed = 0;
  StoreThread::Reports reports;
  reports.committed = [&committed](const ebb::node::CommitReport& report) {
    committed += report.appends.size();
  };
  reports.merged = [] {};
  reports.chore_failed = [](const char*, const ebb::Error&) {};
  StoreThread thread(open_store(home, 0), inbox, reports);
  // The thread is busy while two appends come.
  std::promise<void> begun;
  std::promise<void> free;
  auto is_free = free.get_future();
  thread.run([&begun, &is_free](Store&) -> StoreThread::Answer {
    begun.set_value();
    is_free.get();
    return [] {};
  });
  begun.get_future().get();
  for (std::size_t i = 1; i <= 2; ++i) {
    QueuedAppend append;
    append.batch = make_batch(i);
    thread.append(std::move(append));
  }
  const std::vector<QueuedAppend> back = thread.take_back_appends();
  REQUIRE(back.size() == 2);
  CHECK(back[0].batch.items.size() == 1);
  CHECK(back[1].batch.items.size() == 2);
  CHECK(thread.take_back_appends().empty());
  free.set_value();
  bool stopped = false;
  thread.stop([&stopped] { stopped = true; });
  while (!stopped)
    uv_run(loop->get(), UV_RUN_ONCE);
  CHECK(committed == 0);
}

}  // namespace
