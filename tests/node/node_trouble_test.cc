// Nodes whose disk says no for a while. Another writer that holds the database is such a disk: it
// can be let go again.
#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>

#include "node/node.h"
#include "store/sqlite.h"
#include "tests/node/node_thread.h"
#include "tests/temp_dir.h"

namespace {

using ebb::ErrorCode;
using ebb::node::Node;
using ebb::store::Connection;
using ebb::tests::holds_events;
using ebb::tests::listen_of;
using ebb::tests::make_batch;
using ebb::tests::make_config;
using ebb::tests::make_home;
using ebb::tests::NodeThread;
using ebb::tests::TempDir;

// No transaction of the store in `dir` succeeds while it lives.
class Held {
 public:
  explicit Held(const std::string& dir)
      : connection_(Connection::open(dir + "/store/ebb.db", Connection::Mode::kReadWrite).value()),
        transaction_(*connection_) {
    REQUIRE(transaction_.begin().ok());
  }

 private:
  std::unique_ptr<Connection> connection_;
  ebb::store::Transaction transaction_;
};

// A node "a" that was set back behind what its neighbour `b` holds, and is not running.
void set_back(const TempDir& dir, NodeThread& b) {
  make_home(dir / "a", dir / "b");
  {
    NodeThread a(ebb::node::load_home(dir / "a").value(), make_config());
    REQUIRE(a.append(make_batch(3)).ok());
  }
  std::filesystem::copy(dir / "a/store", dir / "old", std::filesystem::copy_options::recursive);
  {
    NodeThread a(ebb::node::load_home(dir / "a").value(), make_config({listen_of(b)}));
    REQUIRE(a.append(make_batch(4)).ok());
    REQUIRE(holds_events(b, 7));
  }
  std::filesystem::remove_all(dir / "a/store");
  std::filesystem::rename(dir / "old", dir / "a/store");
}

TEST_CASE(
    "a new incarnation that cannot be written is tried again, and nothing is taken until then") {
  const TempDir dir;
  NodeThread b(make_home(dir / "b"), make_config());
  set_back(dir, b);
  NodeThread a(ebb::node::load_home(dir / "a").value(), make_config());
  REQUIRE(a.started().ok());
  const auto old = a.on_loop([](Node& n) { return n.status().incarnation; });
  {
    const Held held(dir / "a");
    a.on_loop([to = listen_of(b)](Node& n) { return n.add_peer(to).ok(); });
    REQUIRE(a.wait_until([](Node& n) { return n.status().incarnation_error.has_value(); }));
    const auto refused = a.append(make_batch(1));
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().code == ErrorCode::kBusy);
    CHECK(refused.error().context == "a new incarnation cannot be begun");
  }
  REQUIRE(a.wait_until(
      [old](Node& n) { return n.status().incarnation != old && !n.status().incarnation_error; }));
  const auto answer = a.append(make_batch(1));
  REQUIRE(answer.ok());
  CHECK(answer->front().first_seq == 1);
  REQUIRE(holds_events(b, 8));
}

// Runs until both ends have agreed, and their cursors are where that was.
void meet_once(const TempDir& dir, NodeThread& b) {
  const auto in_sync = [](Node& n) { return n.mesh_counters().reconciliations_in_sync; };
  const std::uint64_t before = b.on_loop(in_sync);
  NodeThread a(ebb::node::load_home(dir / "a").value(), make_config({listen_of(b)}));
  REQUIRE(a.wait_until([in_sync](Node& n) { return in_sync(n) > 0; }));
  REQUIRE(b.wait_until([in_sync, before](Node& n) { return in_sync(n) > before; }));
}

// A node "a" that has lost events of its neighbour "b" alone; neither is running.
void lose_of_others(const TempDir& dir) {
  auto neighbour = std::make_unique<NodeThread>(make_home(dir / "b"), make_config());
  make_home(dir / "a", dir / "b");
  meet_once(dir, *neighbour);
  std::filesystem::copy(dir / "a/store", dir / "old", std::filesystem::copy_options::recursive);
  for (std::size_t events = 1; events <= 3; ++events) {
    REQUIRE(neighbour->append(make_batch(events)).ok());
    meet_once(dir, *neighbour);
  }
  std::filesystem::remove_all(dir / "a/store");
  std::filesystem::rename(dir / "old", dir / "a/store");
}

ebb::StoreEpoch epoch_of(NodeThread& node) {
  return node.on_loop([](Node& n) { return n.status().epoch; });
}

TEST_CASE("a node that dies between the doubt of its epoch and another one is told again") {
  const TempDir dir;
  lose_of_others(dir);
  NodeThread b(ebb::node::load_home(dir / "b").value(), make_config());
  const auto is_told = [](Node& n) { return n.mesh_counters().set_backs_found > 0; };
  ebb::StoreEpoch old = 0;
  {
    auto a = std::make_unique<NodeThread>(ebb::node::load_home(dir / "a").value(), make_config());
    REQUIRE(a->started().ok());
    old = epoch_of(*a);
    const Held held(dir / "a");
    a->on_loop([to = listen_of(b)](Node& n) { return n.add_peer(to).ok(); });
    REQUIRE(a->wait_until(is_told));
    CHECK(!a->append(make_batch(1)).ok());
    CHECK(epoch_of(*a) == old);
    a.reset();  // its disk takes nothing to the end
  }
  NodeThread a(ebb::node::load_home(dir / "a").value(), make_config());
  REQUIRE(a.started().ok());
  REQUIRE(epoch_of(a) == old);
  a.on_loop([to = listen_of(b)](Node& n) { return n.add_peer(to).ok(); });
  REQUIRE(a.wait_until(is_told));
  REQUIRE(a.wait_until([old](Node& n) { return n.status().epoch != old; }));
  REQUIRE(holds_events(a, 6));
}

TEST_CASE("a node that lost events of others alone takes another epoch, once its disk does") {
  const TempDir dir;
  lose_of_others(dir);
  // At another port, so that it is not found before it is named.
  NodeThread b(ebb::node::load_home(dir / "b").value(), make_config());

  NodeThread a(ebb::node::load_home(dir / "a").value(), make_config());
  REQUIRE(a.started().ok());
  const auto old = a.on_loop([](Node& n) { return n.status(); });
  auto held = std::make_unique<Held>(dir / "a");
  a.on_loop([to = listen_of(b)](Node& n) { return n.add_peer(to).ok(); });
  REQUIRE(a.wait_until([](Node& n) { return n.mesh_counters().set_backs_found > 0; }));
  CHECK(a.on_loop([](Node& n) { return n.status().epoch; }) == old.epoch);
  held.reset();
  REQUIRE(a.wait_until([old](Node& n) { return n.status().epoch != old.epoch; }));
  REQUIRE(holds_events(a, 6));
  const auto now = a.on_loop([](Node& n) { return n.status(); });
  CHECK(now.incarnation == old.incarnation);
  CHECK(a.on_loop([](Node& n) { return n.mesh_counters().rollbacks_found; }) == 0);
  CHECK(a.on_loop([](Node& n) { return n.mesh_counters().set_backs_found; }) == 1);
}

TEST_CASE("appends that come while a new incarnation is written go into it") {
  const TempDir dir;
  NodeThread b(make_home(dir / "b"), make_config());
  set_back(dir, b);
  NodeThread a(ebb::node::load_home(dir / "a").value(), make_config());
  const auto old_log = a.on_loop([](Node& n) {
    const auto heads = n.heads();
    return std::find_if(heads.begin(), heads.end(),
                        [](const auto& head) { return head.key.topic == "events"; })
        ->log;
  });
  auto held = std::make_unique<Held>(dir / "a");
  a.on_loop([to = listen_of(b)](Node& n) { return n.add_peer(to).ok(); });
  REQUIRE(a.wait_until([](Node& n) { return n.mesh_counters().rollbacks_found > 0; }));
  auto promise = std::make_shared<std::promise<ebb::Result<std::vector<ebb::store::DotRange>>>>();
  auto future = promise->get_future();
  a.on_loop([promise](Node& n) {
    n.append(make_batch(1), [promise](auto answer) { promise->set_value(std::move(answer)); });
    return true;
  });
  held.reset();
  const auto answer = future.get();
  REQUIRE(answer.ok());
  CHECK_FALSE(answer->front().log == old_log);
  CHECK(answer->front().first_seq == 1);
}

TEST_CASE("a node that was set back and then wrote beyond what others hold is told too") {
  const TempDir dir;
  NodeThread b(make_home(dir / "b"), make_config());
  set_back(dir, b);
  NodeThread a(ebb::node::load_home(dir / "a").value(), make_config());
  REQUIRE(a.append(make_batch(9)).ok());  // 12, of which b holds 3 and 4 others
  const auto old = a.on_loop([](Node& n) { return n.status().incarnation; });
  a.on_loop([to = listen_of(b)](Node& n) { return n.add_peer(to).ok(); });
  REQUIRE(a.wait_until([old](Node& n) { return n.status().incarnation != old; }));
  CHECK(a.on_loop([](Node& n) { return n.mesh_counters().rollbacks_found; }) == 1);
  const auto answer = a.append(make_batch(1));
  REQUIRE(answer.ok());
  CHECK(answer->front().first_seq == 1);
  REQUIRE(holds_events(b, 8));
}

TEST_CASE("an idle node finds out that its disk takes commits again") {
  const TempDir dir;
  NodeThread a(make_home(dir / "a"), make_config());
  REQUIRE(a.started().ok());
  {
    const Held held(dir / "a");
    REQUIRE_FALSE(a.append(make_batch(1)).ok());
    REQUIRE(a.on_loop([](Node& n) { return n.status().store_error.has_value(); }));
    const auto failed = a.on_loop([](Node& n) { return n.counters().commits_failed; });
    // It tries, and goes on to say so.
    REQUIRE(a.wait_until([failed](Node& n) { return n.counters().commits_failed > failed; }));
    CHECK(a.on_loop([](Node& n) { return n.status().store_error.has_value(); }));
  }
  CHECK(a.wait_until([](Node& n) { return !n.status().store_error; }));
}

TEST_CASE("rows of a transaction that failed are stored with the next one") {
  const TempDir dir;
  auto b = std::make_unique<NodeThread>(make_home(dir / "b"), make_config());
  NodeThread a(make_home(dir / "a", dir / "b"), make_config());
  REQUIRE(a.started().ok());
  const auto failures = [](Node& n) { return n.counters().commits_failed; };
  {
    const Held held(dir / "a");
    a.on_loop([to = listen_of(*b)](Node& n) { return n.add_peer(to).ok(); });
    REQUIRE(a.wait_until([&failures](Node& n) { return failures(n) > 0; }));
    // The reconciliation ends with its link, and nothing but its row is to be stored.
    const auto before = a.on_loop(failures);
    b.reset();
    REQUIRE(a.wait_until([&](Node& n) { return failures(n) > before; }));
  }
  REQUIRE(a.append(make_batch(1)).ok());
  auto promise = std::make_shared<std::promise<std::size_t>>();
  auto future = promise->get_future();
  auto rows = std::make_shared<std::size_t>(0);
  a.on_loop([promise, rows](Node& n) {
    n.query(
        false,
        [rows](const ebb::store::Reader& reader) { *rows = reader.reconciliations(10)->size(); },
        [promise, rows](const ebb::Status&) { promise->set_value(*rows); });
    return true;
  });
  CHECK(future.get() == 1);
}

TEST_CASE("rows of a transaction that failed are stored by the stop at the latest") {
  const TempDir dir;
  NodeThread b(make_home(dir / "b"), make_config());
  make_home(dir / "a", dir / "b");
  {
    NodeThread a(ebb::node::load_home(dir / "a").value(), make_config());
    const Held held(dir / "a");
    a.on_loop([to = listen_of(b)](Node& n) { return n.add_peer(to).ok(); });
    REQUIRE(a.wait_until([](Node& n) { return n.counters().commits_failed > 0; }));
  }
  const auto reader = ebb::store::Reader::open(dir / "a/store").value();
  CHECK(reader->reconciliations(10)->size() == 1);
}

TEST_CASE("a query that runs when its node stops is ended and answered") {
  const TempDir dir;
  auto answer = std::make_shared<ebb::Status>();
  {
    NodeThread a(make_home(dir / "a"), make_config());
    REQUIRE(a.append(make_batch(4000)).ok());
    auto running = std::make_shared<std::promise<void>>();
    auto begun = running->get_future();
    a.on_loop([running, answer](Node& n) {
      n.query(
          false,
          [running](const ebb::store::Reader& reader) {
            running->set_value();
            const auto result = reader.sql("SELECT count(*) FROM events a, events b, events c", {});
            REQUIRE_FALSE(result.ok());
            CHECK(result.error().context == "time");
          },
          [answer](const ebb::Status& status) { *answer = status; });
      return true;
    });
    begun.get();
  }
  REQUIRE_FALSE(answer->ok());
  CHECK(answer->error().code == ErrorCode::kBusy);
}

TEST_CASE("a budget of less than a page is a budget") {
  const TempDir dir;
  make_home(dir / "a");
  for (const std::int64_t bytes : {1, 4095, 4096}) {
    ebb::node::Config config = make_config();
    config.disk_budget_bytes = bytes;
    NodeThread a(ebb::node::load_home(dir / "a").value(), config);
    REQUIRE_FALSE(a.started().ok());
    CHECK(a.started().error().code == ErrorCode::kDiskFull);
  }
}

}  // namespace
