// What a peer may say of scopes, and when.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/mesh/many_logs.h"
#include "tests/mesh/raw_peer.h"
#include "trust/scope_hash.h"

namespace ebb::tests {
namespace {

const Scope kLeaf{ScopeKind::kLeaf, {}, {}};
const Scope kOfA{ScopeKind::kPartial, {"a"}, {}};

mesh::Config with_scope(const Scope& scope) {
  mesh::Config config;
  config.scope = scope;
  return config;
}

// Connects and greets as a node with this scope, which takes the engine's for `yours`.
void greet_as(RawPeer& peer, const Scope& mine, const Scope& yours, std::uint64_t count = 1) {
  codec::Hello hello = peer.hello();
  hello.my_scope = trust::scope_hash(mine);
  hello.your_scope = trust::scope_hash(yours);
  hello.count = count;
  hello.root.data[0] = 1;
  peer.connect();
  peer.send(hello);
  peer.send(codec::YourLogsSummary{});
}

TEST_CASE("a scope has to be that of its HELLO, and to be due") {
  FakeStore store(1);
  RawPeer peer(store, 2);
  SUBCASE("another one") {
    greet_as(peer, kOfA, {});
    peer.send(codec::ScopeTold{kLeaf});
    CHECK(peer.faulted_with("malformed_scope"));
  }
  SUBCASE("known to both already") {
    greet_as(peer, {}, {});
    peer.send(codec::ScopeTold{Scope{}});
    CHECK(peer.faulted_with("out_of_order"));
  }
  SUBCASE("a root that nobody needs") {
    greet_as(peer, {}, {});
    peer.send(codec::ScopeRoot{});
    CHECK(peer.faulted_with("out_of_order"));
  }
  SUBCASE("a second root") {
    greet_as(peer, kOfA, {});
    peer.send(codec::ScopeRoot{});
    CHECK(!peer.closed());
    peer.send(codec::ScopeRoot{});
    CHECK(peer.faulted_with("out_of_order"));
  }
  SUBCASE("before the HELLO") {
    peer.connect();
    peer.send(codec::ScopeTold{kOfA});
    CHECK(peer.faulted_with("out_of_order"));
  }
  CHECK(peer.closed());
}

TEST_CASE("nothing is compared or told before both scopes are known") {
  FakeStore store(1);
  static_cast<void>(store.append({"a", 1}));
  static_cast<void>(store.append({"b", 1}));
  RawPeer peer(store, 2);
  greet_as(peer, kOfA, {});
  peer.input(store.append({"a", 1}));
  peer.input(store.append({"b", 1}));
  peer.run_until(peer.now + milliseconds(200));
  CHECK(!peer.take<codec::SyncListReq>());
  CHECK(!peer.take<codec::Delta>());
  CHECK(!peer.take<codec::Have>());
  peer.send(codec::ScopeTold{kOfA});
  const auto root = peer.take<codec::ScopeRoot>();
  REQUIRE(root);
  CHECK(root->count == 1);
  CHECK(!peer.take<codec::SyncListReq>());
  peer.send(codec::ScopeRoot{{}, 1});
  REQUIRE(peer.take<codec::SyncListReq>());
  peer.send(codec::SyncListReq{});
  const auto list = peer.take<codec::SyncList>();
  REQUIRE(list);
  REQUIRE(list->heads.size() == 1);
  CHECK(list->heads[0].log == store.own_log("a"));
  CHECK(list->covered > 0);
}

TEST_CASE("a peer gets nothing beyond its scope, whatever it asks for") {
  FakeStore store(1);
  static_cast<void>(store.append({"a", 1}));
  static_cast<void>(store.append({"b", 1}));
  RawPeer peer(store, 2);
  greet_as(peer, kOfA, {});
  peer.send(codec::ScopeTold{kOfA});
  peer.send(codec::ScopeRoot{{}, 1});
  peer.send(codec::SyncHeadsReq{{store.own_log("a"), store.own_log("b")}});
  const auto heads = peer.take<codec::SyncHeads>();
  REQUIRE(heads);
  REQUIRE(heads->heads.size() == 1);
  CHECK(heads->heads[0].key.topic == "a");
  codec::Want want;
  want.ranges = {{store.own_log("b"), 1, 0}};
  peer.send(want);
  const auto delta = peer.take<codec::Delta>();
  REQUIRE(delta);
  CHECK(delta->segments.empty());
  CHECK(delta->last);
  CHECK(peer.reads().empty());
}

TEST_CASE("what a peer says or sends beyond our scope is not taken, and never asked for") {
  FakeStore store(1);
  FakeStore author(9);
  RawPeer peer(store, 2, with_scope(kOfA));
  greet_as(peer, {}, kOfA);
  const auto in = author.append({"a", 1}).own_segments[0];
  const auto out = author.append({"b", 1}).own_segments[0];
  peer.send(delta_of({out}));
  peer.send(delta_of({in}));
  CHECK(store.events() == 1);
  CHECK(peer.engine().counters().segments_out_of_scope == 1);
  CHECK(!peer.closed());
  // A claim of a log whose key is not known is asked for, once, and then left out.
  peer.send(codec::Have{{{out.log, 1}}, 0});
  peer.run_until(peer.now + seconds(3));
  if (const auto want = peer.take<codec::Want>()) {
    codec::Delta answer = delta_of({out});
    answer.reconciliation = want->reconciliation;
    answer.last = true;
    peer.send(answer);
    peer.run_until(peer.now + seconds(3));
  }
  peer.forget_received();
  peer.send(codec::Have{{{out.log, 1}}, 0});
  peer.run_until(peer.now + seconds(3));
  CHECK(!peer.take<codec::Want>());
  CHECK(store.events() == 1);
  // Enough of it ends the link, as anything that brings nothing does.
  const auto large = author.append({"b", 1, 60000}).own_segments[0];
  for (int i = 0; i < 200 && !peer.closed(); ++i)
    peer.send(delta_of({large}));
  CHECK(peer.faulted_with("brings_nothing"));
}

TEST_CASE("what a peer claims of logs out of its own scope is not asked of it") {
  FakeStore store(1);
  FakeStore author(9);
  std::vector<trust::VerifiedSegment> firsts;
  for (const char* topic : {"a", "b"}) {
    firsts.push_back(author.append({topic, 1}).own_segments[0]);
    store_segment(store, firsts.back());
  }
  RawPeer peer(store, 2);
  greet_as(peer, kOfA, {});
  peer.send(codec::ScopeTold{kOfA});
  peer.send(codec::ScopeRoot{});
  peer.run_until(peer.now + seconds(3));
  peer.send(codec::Have{{{firsts[1].log, 3}}, 0});
  peer.run_until(peer.now + seconds(3));
  CHECK(!peer.take<codec::Want>());
  peer.send(codec::Have{{{firsts[0].log, 2}}, 0});
  peer.run_until(peer.now + seconds(3));
  const auto want = peer.take<codec::Want>();
  REQUIRE(want);
  REQUIRE(want->ranges.size() == 1);
  CHECK(want->ranges[0].log == firsts[0].log);
  CHECK(peer.faults().empty());
}

}  // namespace
}  // namespace ebb::tests
