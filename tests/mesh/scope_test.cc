// Nodes that take part in some logs only: what they get, what they tell, and how both ends of a
// link come to know it.
#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "codec/scope.h"
#include "core/limits.h"
#include "tests/mesh/many_logs.h"
#include "tests/mesh/raw_peer.h"
#include "trust/scope_hash.h"

namespace ebb::tests {
namespace {

const Scope kLeaf{ScopeKind::kLeaf, {}, {}};

Scope of_topics(std::set<std::string> topics) {
  return {ScopeKind::kPartial, std::move(topics), {}};
}

// Node 0 is full; the others know it alone.
struct Star : Rig {
  explicit Star(const std::vector<Scope>& others) {
    add_node(1);
    for (const Scope& scope : others) {
      const std::size_t i = add_node(static_cast<std::uint8_t>(size() + 1), {0});
      node(i).config.scope = scope;
    }
  }
  void start_all() {
    for (std::size_t i = 0; i < size(); ++i)
      start(i);
  }
  // Each node writes to its control topic and to these.
  void write(const std::vector<std::string>& topics, std::uint32_t count = 1) {
    for (std::size_t i = 0; i < size(); ++i) {
      append_to(i, "_ebb", count);
      for (const std::string& topic : topics)
        append_to(i, topic, count);
    }
  }
  void append_to(std::size_t i, const std::string& topic, std::uint32_t count = 1) {
    if (node(i).engine == nullptr) {
      static_cast<void>(store(i).append({topic, count}));
    } else {
      append(i, {topic, count});
    }
  }
  // Every node holds of every node's logs what is in its scope, to the end, and nothing else.
  bool all_hold_their_scopes() {
    for (std::size_t i = 0; i < size(); ++i) {
      std::size_t expected = 0;
      for (std::size_t author = 0; author < size(); ++author) {
        for (const mesh::StoredHead& head : store(author).heads()) {
          if (head.key.device != store(author).device()) continue;
          if (!covers(node(i).config.scope, store(i).device(), head.key)) continue;
          ++expected;
          if (!holds(i, head)) return false;
        }
      }
      if (store(i).heads().size() != expected) return false;
    }
    return true;
  }
  bool holds(std::size_t i, const mesh::StoredHead& wanted) {
    const auto heads = store(i).heads();
    return std::any_of(heads.begin(), heads.end(), [&wanted](const mesh::StoredHead& head) {
      return head.log == wanted.log && head.held == wanted.held;
    });
  }
  std::uint64_t out_of_scope() {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < size(); ++i)
      count += engine(i).counters().segments_out_of_scope;
    return count;
  }
  std::uint64_t repairs() {
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < size(); ++i)
      count += engine(i).counters().audit_repairs;
    return count;
  }
};

TEST_CASE("a leaf has the control topics and its own logs, and delivers them") {
  Star rig({kLeaf, kLeaf});
  rig.write({"a", "b"}, 3);
  rig.start_all();
  rig.run_for(seconds(2));
  CHECK(rig.all_hold_their_scopes());
  CHECK(rig.store(0).heads().size() == 9);
  CHECK(rig.store(1).heads().size() == 5);
  rig.write({"a", "c"});
  rig.run_for(seconds(15));
  CHECK(rig.all_hold_their_scopes());
  CHECK(rig.out_of_scope() == 0);
  for (std::size_t i = 0; i < 3; ++i) {
    CAPTURE(i);
    for (const mesh::LinkStatus& link : rig.engine(i).links()) {
      CHECK(link.state == "in_sync");
      CHECK(link.missing_there == 0);
      CHECK(link.missing_here == 0);
      CHECK(link.relay == (link.peer == rig.store(0).device()));
    }
  }
}

TEST_CASE("partial scopes by topic, by device and by both hold what they name") {
  Star rig({of_topics({"a", "x"}), of_topics({"b"}), kLeaf, of_topics({"a"}), Scope{}});
  Scope by_device{ScopeKind::kPartial, {}, {rig.store(1).device(), rig.store(3).device()}};
  rig.node(2).config.scope = by_device;
  Scope by_both{ScopeKind::kPartial, {"b", "c"}, {rig.store(0).device(), rig.store(1).device()}};
  rig.node(4).config.scope = by_both;
  rig.write({"a", "b", "c"}, 2);
  rig.start_all();
  for (int i = 0; i < 20; ++i) {
    rig.run_for(seconds(5));
    rig.write({"a", "b", "c"});
  }
  rig.run_for(seconds(30));
  CHECK(rig.all_hold_their_scopes());
  CHECK(rig.out_of_scope() == 0);
  CHECK(rig.repairs() == 0);
}

TEST_CASE("a scope is told once, and then equal roots end the greeting") {
  Star rig({of_topics({"a"})});
  rig.write({"a", "b"});
  rig.start_all();
  rig.run_for(seconds(1));
  CHECK(rig.node(1).rows.back().outcome == "in_sync");
  const std::uint64_t told = rig.count(1, "scope").messages_out;
  CHECK(told == 2);                                // itself, and the root
  CHECK(rig.count(0, "scope").messages_out == 2);  // it was taken for what the other is
  rig.cut(0, 1);
  rig.run_for(seconds(10));
  REQUIRE(rig.streams_between(0, 1) == 1);
  CHECK(rig.count(1, "scope").messages_out == told);
  CHECK(rig.node(1).rows.back().kind == "hello");
  CHECK(rig.node(1).rows.back().root_before == rig.node(0).rows.back().root_before);
}

TEST_CASE("what changed beyond a peer's scope is no news on its link") {
  Star rig({kLeaf});
  rig.write({"a"});
  rig.start_all();
  rig.run_for(seconds(15));
  const std::uint64_t before = rig.wire_bytes(0, 1);
  for (int i = 0; i < 100; ++i) {
    rig.append_to(0, "a");
    rig.run_for(milliseconds(20));
  }
  // A PING at most.
  CHECK(rig.wire_bytes(0, 1) - before <= 40);
  rig.cut(0, 1);
  rig.run_for(seconds(10));
  REQUIRE(rig.streams_between(0, 1) == 1);
  CHECK(rig.node(1).rows.back().kind == "hello");
}

TEST_CASE("what was missed is found by cursor, by list and by ranges") {
  Star rig({of_topics({"t"})});
  Authors authors(40);
  std::size_t in_scope = 0;
  std::string kind;
  SUBCASE("a first meeting") {
    in_scope = 1000;
    kind = "list";
  }
  SUBCASE("much is here already") {
    in_scope = 1000;
    kind = "ranges";
  }
  SUBCASE("a little since the last time") {
    in_scope = 200;
    kind = "cursor";
  }
  for (std::size_t i = 0; i < in_scope; ++i) {
    const auto segment = authors.append(i % 40, 1 + i / 40);
    store_segment(rig.store(0), segment);
    if (kind == "ranges" && i % 50 != 0) store_segment(rig.store(1), segment);
    store_segment(rig.store(0), authors.append(i % 40, 1 + i / 40, {"other", 1}));
  }
  rig.start_all();
  rig.run_for(seconds(5));
  if (kind == "cursor") {
    rig.stop(1);
    rig.run_for(seconds(1));
    for (std::size_t i = 0; i < 5; ++i) {
      store_segment(rig.store(0), authors.append(i, 1));
      store_segment(rig.store(0), authors.append(i, 2, {"other", 1}));
    }
    rig.stop(0);
    rig.start_all();
    rig.run_for(seconds(5));
    // The process has forgotten the scope of the other, and its store has kept the cursor.
    CHECK(rig.node(1).rows.back().heads_compared == 5);
  }
  CHECK(rig.node(1).rows.back().kind == kind);
  CHECK(rig.node(1).rows.back().outcome == "in_sync");
  CHECK(rig.store(1).heads().size() == in_scope);
  CHECK(rig.out_of_scope() == 0);
}

TEST_CASE("cursors follow a live link, whatever goes by beyond the scope") {
  Star rig({of_topics({"a"})});
  rig.append_to(1, "c");
  rig.start_all();
  for (int i = 0; i < 100; ++i) {
    rig.append_to(0, i % 2 == 0 ? "a" : "b");
    rig.run_for(milliseconds(300));
  }
  rig.append_to(0, "b");
  rig.run_for(seconds(11));
  rig.stop(0);
  rig.stop(1);
  rig.append_to(0, "a");
  rig.append_to(1, "c");
  rig.start_all();
  rig.run_for(seconds(2));
  CHECK(rig.all_hold_their_scopes());
  for (std::size_t i = 0; i < 2; ++i) {
    CAPTURE(i);
    CHECK(rig.node(i).rows.back().kind == "cursor");
    CHECK(rig.node(i).rows.back().heads_compared == 1);
  }
}

TEST_CASE("nothing passes through a node whose scope it is not in") {
  Rig rig;
  rig.datagrams = false;
  rig.add_node(1, {1});
  rig.add_node(2);
  rig.add_node(3, {1});
  rig.node(1).config.scope = of_topics({"a"});
  rig.parted = [](std::size_t a, std::size_t b) { return a + b == 2; };
  for (std::size_t i = 0; i < 3; ++i)
    rig.start(i);
  rig.run_for(seconds(1));
  rig.append(0, {"a", 1});
  rig.append(0, {"b", 1});
  rig.run_for(seconds(5));
  CHECK(rig.store(1).events() == 1);
  CHECK(rig.store(2).events() == 1);
  CHECK(rig.engine(2).events_known() == 1);
  // Once the ends reach each other they have the rest.
  rig.parted = nullptr;
  rig.run_for(seconds(400));
  CHECK(rig.store(2).events() == 2);
}

TEST_CASE("a log that begins is pushed on to who takes part in it, before it is stored") {
  Rig rig;
  rig.datagrams = false;
  rig.add_node(1, {1});
  rig.add_node(2);
  rig.add_node(3, {1});
  rig.node(2).config.scope = of_topics({"a"});
  rig.parted = [](std::size_t a, std::size_t b) { return a + b == 2; };
  for (std::size_t i = 0; i < 3; ++i)
    rig.start(i);
  rig.run_for(seconds(1));
  const std::uint64_t before = rig.engine(1).counters().pushes_sent;
  rig.append(0, {"a", 1});
  rig.append(0, {"b", 1});
  rig.run_for(milliseconds(4));
  CHECK(rig.engine(1).counters().pushes_sent - before == 1);
  CHECK(rig.store(2).events() == 1);
}

TEST_CASE("a start with another scope makes cursors void, and brings what was left out before") {
  Star rig({kLeaf});
  rig.write({"a", "b"}, 2);
  rig.start_all();
  rig.run_for(seconds(5));
  REQUIRE(rig.store(1).heads().size() == 4);
  rig.stop(1);
  rig.node(1).config.scope = of_topics({"b"});
  rig.store(1).change_scope();
  rig.start(1);
  rig.run_for(seconds(10));
  CHECK(rig.all_hold_their_scopes());
  CHECK(rig.store(1).heads().size() == 5);
  // What it has is not taken away with its place in the scope, and grows no more.
  rig.stop(1);
  rig.node(1).config.scope = kLeaf;
  rig.store(1).change_scope();
  rig.start(1);
  rig.write({"b"});
  rig.run_for(seconds(10));
  CHECK(rig.store(1).heads().size() == 5);
  CHECK(rig.store(1).events() == 8 + 2 + 3);
  CHECK(rig.engine(1).log_count() == 4);
}

TEST_CASE("an audit of a partial scope finds what nobody announced") {
  Star rig({of_topics({"t"})});
  Authors authors(3);
  for (std::size_t i = 0; i < 3; ++i)
    store_segment(rig.store(0), authors.append(i, 1));
  rig.start_all();
  rig.run_for(seconds(5));
  REQUIRE(rig.engine(1).log_count() == 3);
  // It gets into the store behind the back of its engine, which tells it to nobody.
  mesh::Commit silent;
  silent.segments = {authors.append(0, 9)};
  mesh::Committed news = rig.store(0).commit(silent);
  news.token = {};
  rig.node(0).mute = true;
  rig.input(0, std::move(news));
  rig.run_for(seconds(2));
  rig.node(0).mute = false;
  rig.run_for(seconds(3600));
  CHECK(rig.engine(1).log_count() == 4);
}

}  // namespace
}  // namespace ebb::tests
