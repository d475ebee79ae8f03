#include "node/node.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "core/limits.h"
#include "node/config.h"
#include "tests/node/node_thread.h"
#include "tests/temp_dir.h"

namespace {

using ebb::ErrorCode;
using ebb::node::Node;
using ebb::tests::holds_events;
using ebb::tests::listen_of;
using ebb::tests::make_batch;
using ebb::tests::make_config;
using ebb::tests::make_home;
using ebb::tests::NodeThread;
using ebb::tests::TempDir;

// The records of either device may come after its events.
bool same_digest(NodeThread& a, NodeThread& b) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (a.digest() != b.digest()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
  }
  return true;
}

bool in_sync_with(NodeThread& node, std::uint64_t links) {
  return node.wait_until([links](Node& n) { return n.status().links_in_sync == links; });
}

// A query that runs into its time is gone on with where it came to.
std::uint64_t count_events(NodeThread& node) {
  std::uint64_t count = 0;
  ebb::store::EventFilter programs;
  programs.data_only = true;
  ebb::store::EventsEnd end;
  do {
    auto promise = std::make_shared<std::promise<ebb::Status>>();
    auto future = promise->get_future();
    node.on_loop([&](Node& n) {
      n.query(
          false,
          [&](const ebb::store::Reader& reader) {
            const auto visited = reader.events(programs, UINT64_MAX, [&count](const auto&) {
              ++count;
              return true;
            });
            REQUIRE(visited.ok());
            end = *visited;
          },
          [promise](const ebb::Status& status) { promise->set_value(status); });
      return true;
    });
    REQUIRE(future.get().ok());
    for (const auto& [log, seq] : end.scanned)
      programs.after[log] = std::max(programs.after[log], seq);
  } while (end.expired);
  return count;
}

}  // namespace

TEST_CASE("what one node appends the other has, with the same digest") {
  const TempDir dir;
  NodeThread a(make_home(dir / "a"), make_config());
  REQUIRE(a.started().ok());
  NodeThread b(make_home(dir / "b", dir / "a"), make_config({listen_of(a)}));
  REQUIRE(b.started().ok());

  const auto answer = a.append(make_batch(3));
  REQUIRE(answer.ok());
  REQUIRE(answer->size() == 1);
  CHECK(answer->front().first_seq == 1);
  CHECK(answer->front().count == 3);
  REQUIRE(holds_events(b, 3));
  REQUIRE(b.append(make_batch(2)).ok());
  REQUIRE(holds_events(a, 5));
  CHECK(same_digest(a, b));
  CHECK(count_events(a) == 5);
  CHECK(count_events(b) == 5);
}

TEST_CASE("a third node gets through the second what the first wrote before it came") {
  const TempDir dir;
  NodeThread a(make_home(dir / "a"), make_config());
  REQUIRE(a.started().ok());
  REQUIRE(a.append(make_batch(1)).ok());
  {
    // It is certified by the first, and not there when that writes.
    NodeThread early(make_home(dir / "c", dir / "a"), make_config({listen_of(a)}));
    REQUIRE(early.started().ok());
    REQUIRE(holds_events(early, 1));
  }
  for (int i = 0; i < 20; ++i)
    REQUIRE(a.append(make_batch(100)).ok());
  NodeThread b(make_home(dir / "b", dir / "a"), make_config({listen_of(a)}));
  REQUIRE(b.started().ok());
  REQUIRE(holds_events(b, 2001));
  a.stop();
  NodeThread c(ebb::node::load_home(dir / "c").value(), make_config({listen_of(b)}));
  REQUIRE(c.started().ok());
  REQUIRE(holds_events(c, 2001));
  CHECK(same_digest(b, c));
}

TEST_CASE("a node that starts again continues its log and catches up") {
  const TempDir dir;
  auto a = std::make_unique<NodeThread>(make_home(dir / "a"), make_config());
  REQUIRE(a->started().ok());
  // The one that stays up listens where it can be found again.
  NodeThread b(make_home(dir / "b", dir / "a"), make_config());
  REQUIRE(b.started().ok());
  a->on_loop([to = listen_of(b)](Node& n) { return n.add_peer(to).ok(); });
  REQUIRE(a->append(make_batch(4)).ok());
  REQUIRE(holds_events(b, 4));
  a.reset();
  REQUIRE(b.append(make_batch(5)).ok());

  NodeThread again(ebb::node::load_home(dir / "a").value(), make_config({listen_of(b)}));
  REQUIRE(again.started().ok());
  const auto answer = again.append(make_batch(1));
  REQUIRE(answer.ok());
  CHECK(answer->front().first_seq == 5);
  REQUIRE(holds_events(again, 10));
  REQUIRE(holds_events(b, 10));
  CHECK(same_digest(again, b));
}

TEST_CASE("links are told apart and seen from both ends") {
  const TempDir dir;
  NodeThread a(make_home(dir / "a"), make_config());
  NodeThread b(make_home(dir / "b", dir / "a"), make_config({listen_of(a)}));
  REQUIRE(in_sync_with(a, 1));
  REQUIRE(in_sync_with(b, 1));
  const auto at_a = a.on_loop([](Node& n) { return n.links(); });
  const auto at_b = b.on_loop([](Node& n) { return n.links(); });
  REQUIRE(at_a.size() == 1);
  REQUIRE(at_b.size() == 1);
  CHECK_FALSE(at_a[0].dialled);
  CHECK(at_b[0].dialled);
  CHECK(at_b[0].remote == listen_of(a));
  CHECK(at_a[0].peer == b.on_loop([](Node& n) { return n.status().device; }));
}

TEST_CASE("a node of another mesh gets no answer, and is told so") {
  const TempDir dir;
  NodeThread a(make_home(dir / "a"), make_config());
  NodeThread b(make_home(dir / "b"), make_config({listen_of(a)}));
  REQUIRE(a.append(make_batch(1)).ok());
  REQUIRE(a.wait_until([](Node& n) { return n.mesh_counters().faults.contains("no_access"); }));
  REQUIRE(b.wait_until([](Node& n) { return !n.status().peers_refusing.empty(); }));
  CHECK(b.on_loop([](Node& n) { return n.mesh_counters().dial_failures; }) == 0);
  CHECK(b.on_loop([](Node& n) { return n.status().events_held; }) == 1);
}

TEST_CASE("a configured port in use is an error that names it") {
  const TempDir dir;
  NodeThread a(make_home(dir / "a"), make_config());
  REQUIRE(a.started().ok());
  ebb::node::Config config = make_config();
  config.listen = listen_of(a);
  const NodeThread b(make_home(dir / "b"), config);
  REQUIRE_FALSE(b.started().ok());
  CHECK(b.started().error().code == ErrorCode::kBusy);
  CHECK(b.started().error().context == "port in use");
  CHECK(b.started().error().detail == config.listen);
}

TEST_CASE("a port that nobody configured gives way to the next free one, which is kept") {
  const TempDir dir;
  NodeThread a(make_home(dir / "a"), make_config());
  REQUIRE(a.started().ok());
  ebb::node::Config config = make_config();
  config.listen = listen_of(a);
  config.listen_configured = false;
  NodeThread b(make_home(dir / "b"), config);
  REQUIRE(b.started().ok());
  CHECK_FALSE(listen_of(b) == listen_of(a));
  const auto saved = ebb::node::load_config(dir / "b/ebb.toml", {});
  REQUIRE(saved.ok());
  CHECK(saved->listen == listen_of(b));
  CHECK(saved->listen_configured);
}

TEST_CASE("a second node on a directory is refused") {
  const TempDir dir;
  NodeThread a(make_home(dir / "a"), make_config());
  REQUIRE(a.started().ok());
  const NodeThread second(ebb::node::load_home(dir / "a").value(), make_config());
  REQUIRE_FALSE(second.started().ok());
  CHECK(second.started().error().code == ErrorCode::kBusy);
  CHECK_FALSE(second.started().error().context == "port in use");
  CHECK(a.append(make_batch(1)).ok());
}

TEST_CASE("a full append queue answers busy, and what was taken is stored") {
  const TempDir dir;
  NodeThread a(make_home(dir / "a"), make_config());
  REQUIRE(a.started().ok());
  struct Tally {
    std::uint64_t stored = 0, busy = 0, waiting = 0;
    std::promise<void> answered;
  };
  auto tally = std::make_shared<Tally>();
  auto future = tally->answered.get_future();
  // All in one turn of the loop, so that nothing is answered in between.
  a.on_loop([tally](Node& n) {
    constexpr std::size_t kEvents = 4096;
    const std::uint64_t batches = ebb::limits::kAppendQueueEvents / kEvents + 4;
    tally->waiting = batches;
    for (std::uint64_t i = 0; i < batches; ++i) {
      n.append(make_batch(kEvents), [tally](const auto& answer) {
        if (answer.ok()) {
          tally->stored += kEvents;
        } else {
          CHECK(answer.error().code == ErrorCode::kBusy);
          ++tally->busy;
        }
        if (--tally->waiting == 0) tally->answered.set_value();
      });
    }
    CHECK(n.append_queue_full());
    return true;
  });
  future.get();
  CHECK(tally->busy == 4);
  CHECK(tally->stored == ebb::limits::kAppendQueueEvents);
  CHECK(a.on_loop([](Node& n) { return n.append_queue_full(); }) == false);
  CHECK(count_events(a) == tally->stored);
  CHECK(a.on_loop([](Node& n) { return n.counters().appends_rejected.at("busy"); }) == 4);
}

TEST_CASE("appends of one turn share commits, and each is answered") {
  const TempDir dir;
  NodeThread a(make_home(dir / "a"), make_config());
  REQUIRE(a.started().ok());
  constexpr int kAppends = 500;
  auto left = std::make_shared<int>(kAppends);
  auto promise = std::make_shared<std::promise<void>>();
  a.on_loop([left, promise](Node& n) {
    for (int i = 0; i < kAppends; ++i) {
      n.append(make_batch(1), [left, promise](const auto& answer) {
        CHECK(answer.ok());
        if (--*left == 0) promise->set_value();
      });
    }
    return true;
  });
  promise->get_future().get();
  const auto counters = a.on_loop([](Node& n) { return n.counters(); });
  CHECK(counters.events_appended == kAppends);
  CHECK(counters.commits < kAppends / 4);
  CHECK(counters.commit_seconds.count == counters.commits);
}

TEST_CASE("a refused append harms no other, and says why") {
  const TempDir dir;
  NodeThread a(make_home(dir / "a"), make_config());
  ebb::store::AppendBatch bad = make_batch(1);
  bad.topic = "No Such Topic";
  const auto refused = a.append(bad);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == ErrorCode::kInvalidArgument);
  CHECK(a.append(make_batch(1)).ok());
  CHECK(a.on_loop([](Node& n) { return n.status().store_error.has_value(); }) == false);
}

TEST_CASE("what was acknowledged before a stop is there after it") {
  const TempDir dir;
  make_home(dir / "a");
  for (std::uint64_t start = 0; start < 3; ++start) {
    NodeThread a(ebb::node::load_home(dir / "a").value(), make_config());
    REQUIRE(a.started().ok());
    CHECK(count_events(a) == 10 * start);
    REQUIRE(a.append(make_batch(10)).ok());
  }
}

TEST_CASE("appends that wait when a node stops are answered") {
  const TempDir dir;
  make_home(dir / "a");
  auto answers = std::make_shared<std::vector<bool>>();
  {
    NodeThread a(ebb::node::load_home(dir / "a").value(), make_config());
    a.on_loop([answers](Node& n) {
      for (int i = 0; i < 50; ++i) {
        n.append(make_batch(1), [answers](const auto& answer) { answers->push_back(answer.ok()); });
      }
      n.request_stop();
      return true;
    });
  }
  REQUIRE(answers->size() == 50);
  const auto stored =
      static_cast<std::uint64_t>(std::count(answers->begin(), answers->end(), true));
  NodeThread again(ebb::node::load_home(dir / "a").value(), make_config());
  CHECK(count_events(again) == stored);
  CHECK(stored == 50);
}

TEST_CASE("a full store refuses by name and keeps what it acknowledged") {
  const TempDir dir;
  make_home(dir / "a");
  std::uint64_t stored = 0;
  {
    ebb::node::Config config = make_config();
    config.disk_budget_bytes = 512 << 10;
    NodeThread a(ebb::node::load_home(dir / "a").value(), config);
    REQUIRE(a.started().ok());
    auto answer = a.append(make_batch(10, 4096));
    for (int i = 0; i < 100 && answer.ok(); ++i) {
      stored += 10;
      answer = a.append(make_batch(10, 4096));
    }
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.error().code == ErrorCode::kDiskFull);
    const auto error = a.on_loop([](Node& n) { return n.status().store_error; });
    REQUIRE(error);
    CHECK(error->code == ErrorCode::kDiskFull);
    // So it is told where the disk itself has room, as that of a test has.
    CHECK(error->context == "store.disk_budget_bytes");
    CHECK(error->detail.find("524288 bytes") != std::string::npos);
    CHECK(a.on_loop([](Node& n) { return n.counters().commits_failed; }) > 0);
    CHECK(count_events(a) == stored);
  }
  CHECK(stored > 0);
  NodeThread again(ebb::node::load_home(dir / "a").value(), make_config());
  REQUIRE(again.started().ok());
  CHECK(count_events(again) == stored);
  CHECK(again.append(make_batch(1)).ok());
}

TEST_CASE("a node whose store was set back begins a new incarnation and gets its events back") {
  const TempDir dir;
  make_home(dir / "a");
  NodeThread b(make_home(dir / "b", dir / "a"), make_config());
  {
    NodeThread a(ebb::node::load_home(dir / "a").value(), make_config());
    REQUIRE(a.append(make_batch(3)).ok());
  }
  const std::filesystem::path store = dir / "a/store";
  std::filesystem::copy(store, dir / "old", std::filesystem::copy_options::recursive);
  const auto config = make_config({listen_of(b)});
  {
    NodeThread a(ebb::node::load_home(dir / "a").value(), config);
    REQUIRE(a.append(make_batch(4)).ok());
    REQUIRE(holds_events(b, 7));
  }
  std::filesystem::remove_all(store);
  std::filesystem::rename(dir / "old", store);

  NodeThread a(ebb::node::load_home(dir / "a").value(), config);
  REQUIRE(holds_events(a, 7));
  REQUIRE(a.wait_until([](Node& n) { return n.mesh_counters().rollbacks_found > 0; }));
  const auto old_log = b.on_loop([](Node& n) {
    const auto heads = n.heads();
    return *std::find_if(heads.begin(), heads.end(),
                         [](const auto& head) { return head.key.topic == "events"; });
  });
  REQUIRE(a.wait_until(
      [old = old_log.key.incarnation](Node& n) { return n.status().incarnation != old; }));
  const auto answer = a.append(make_batch(1));
  REQUIRE(answer.ok());
  CHECK_FALSE(answer->front().log == old_log.log);
  CHECK(answer->front().first_seq == 1);
  REQUIRE(holds_events(b, 8));
  CHECK(same_digest(a, b));
}
