#include <doctest/doctest.h>

#include "tests/mesh/many_logs.h"
#include "tests/mesh/raw_peer.h"
#include "trust/fingerprint.h"

namespace ebb::tests {
namespace {

// Lets time pass, with a sign of life of the peer now and then.
void run_alive(RawPeer& peer, Duration duration) {
  const Instant end = peer.now + duration;
  while (peer.now < end) {
    peer.run_until(std::min(end, peer.now + seconds(5)));
    peer.send(codec::Ping{1, true});
  }
}

// Answers the audit's questions as a peer that holds this head beside what the engine holds.
void show(RawPeer& peer, const mesh::StoredHead& head) {
  std::optional<codec::SyncAuditReq> audit;
  while (!audit || !audit->prefix.covers(head.log)) {
    if (audit) peer.send(codec::SyncRanges{});
    peer.forget_received();
    while (peer.messages_waiting() == 0 || !(audit = peer.take<codec::SyncAuditReq>()))
      run_alive(peer, seconds(1));
  }
  codec::SyncRange range;
  range.prefix = audit->prefix;
  for (std::size_t digit = 0; digit < IdPrefix::kChildren; ++digit) {
    if (audit->prefix.child(digit).covers(head.log)) range.children[digit].data[0] = 1;
  }
  peer.send(codec::SyncRanges{{range}, {}, 0});
  const auto question = peer.take<codec::SyncRangesReq>();
  REQUIRE(question);
  REQUIRE(question->ranges.size() == 1);
  REQUIRE(question->ranges[0].prefix.covers(head.log));
  codec::SyncRanges answer;
  answer.heads = {{head.log, head.held.seq, {}}};
  peer.send(answer);
}

TEST_CASE("an audit finds what nobody announced, and counts it when it was not under way") {
  FakeStore store(1);
  FakeStore author(9);
  const auto segment = author.append({"a", 2}).own_segments[0];
  RawPeer peer(store, 2);
  peer.greet();
  show(peer, author.heads()[0]);
  CHECK(peer.engine().counters().audits >= 1);
  CHECK(!peer.take<codec::Want>());
  SUBCASE("it comes in time") {
    peer.send(delta_of({segment}));
    run_alive(peer, seconds(3));
    CHECK(store.events() == 2);
    CHECK(peer.engine().counters().audit_repairs == 0);
    CHECK(!peer.take<codec::Want>());
  }
  SUBCASE("it is late") {
    run_alive(peer, seconds(3));
    CHECK(peer.engine().counters().audit_repairs == 0);  // asked for, not here
    const auto want = peer.take<codec::Want>();
    REQUIRE(want);
    CHECK(!want->reconciliation.is_zero());
    codec::Delta delta = delta_of({segment}, want->reconciliation);
    delta.last = true;
    peer.send(delta);
    CHECK(store.events() == 2);
    CHECK(peer.engine().counters().audit_repairs == 1);
  }
}

TEST_CASE("what an audit asks, answers and repairs goes behind everything else") {
  FakeStore store(1);
  const LogId log = store.append({"a", 2}).own_segments[0].log;
  RawPeer peer(store, 2);
  peer.greet(store.heads());
  const auto bulk = [&peer] { return peer.bytes_sent_as(codec::Priority::kBulk); };
  SUBCASE("the question") {
    while (!peer.take<codec::SyncAuditReq>())
      run_alive(peer, seconds(1));
    CHECK(bulk() > 0);
  }
  SUBCASE("the answer") {
    peer.send(codec::SyncAuditReq{IdPrefix{}.child(id_digit(log, 0)), {}});
    const auto answer = peer.take<codec::SyncRanges>();
    REQUIRE(answer);
    CHECK(answer->ranges.size() == 1);
    CHECK(bulk() > 0);
  }
  SUBCASE("the repair") {
    const std::size_t catch_up = peer.bytes_sent_as(codec::Priority::kCatchUp);
    peer.send(codec::Want{peer.hello().reconciliation, {{log, 1, 0}}});
    const auto delta = peer.take<codec::Delta>();
    REQUIRE(delta);
    CHECK(delta->last);
    CHECK(bulk() > 0);
    CHECK(peer.bytes_sent_as(codec::Priority::kCatchUp) == catch_up);
  }
}

TEST_CASE("audits of a healthy pair run all the time and repair nothing") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.start(0);
  rig.start(1);
  for (int i = 0; i < 1200; ++i) {
    rig.append(static_cast<std::size_t>(i % 2), {"t" + std::to_string(i % 7), 1});
    rig.run_for(milliseconds(500));
  }
  rig.run_for(seconds(5));
  CHECK(rig.engine(0).root() == rig.engine(1).root());
  for (const std::size_t i : {std::size_t{0}, std::size_t{1}}) {
    CHECK(rig.engine(i).counters().audits >= 7);
    CHECK(rig.engine(i).counters().audits <= 14);
    CHECK(rig.engine(i).counters().audit_repairs == 0);
  }
}

TEST_CASE("an audit by a peer that is live before us waits until our own logs are settled") {
  FakeStore store(1);
  const LogId log = store.append({"a", 2}).own_segments[0].log;
  RawPeer peer(store, 2);
  trust::FingerprintSum root;
  root.add(log, store.heads()[0].held);
  peer.connect();
  codec::Hello hello = peer.hello();
  hello.root = root.fingerprint();
  hello.count = 1;
  peer.send(hello);
  peer.send(codec::SyncAuditReq{IdPrefix{}.child(id_digit(log, 0)), {}});
  CHECK(peer.faults().empty());
  CHECK(!peer.take<codec::SyncRanges>());
  peer.send(codec::YourLogsSummary{root.fingerprint(), 1});
  const auto answer = peer.take<codec::SyncRanges>();
  REQUIRE(answer);
  CHECK(answer->ranges.size() == 1);
}

// The peer is live by equal HELLOs; an append since then keeps us from being so for a round trip.
TEST_CASE("an audit's question that comes before own logs may go out is answered then") {
  FakeStore store(1);
  static_cast<void>(store.append({"a", 1}));
  RawPeer peer(store, 2);
  const std::vector<mesh::StoredHead> before = store.heads();
  peer.connect();
  trust::FingerprintSum root;
  root.add(before[0].log, before[0].held);
  codec::Hello hello = peer.hello();
  hello.root = root.fingerprint();
  hello.count = 1;
  peer.send(hello);
  peer.input(store.append({"a", 1}));
  peer.send(codec::YourLogsSummary{root.fingerprint(), 1});
  REQUIRE(peer.take<codec::YourLogsAsk>());
  peer.send(codec::SyncAuditReq{IdPrefix{}.child(id_digit(before[0].log, 0)), {}});
  REQUIRE(peer.faults().empty());
  CHECK(!peer.take<codec::SyncRanges>());
  const mesh::StoredHead& head = before[0];
  peer.send(codec::YourLogsHeads{
      {{head.key, head.held.seq, head.hlc, head.held.chain, head.signature}}, false});
  const auto answer = peer.take<codec::SyncRanges>();
  REQUIRE(answer);
  CHECK(answer->ranges.size() == 1);
  CHECK(peer.faults().empty());
}

TEST_CASE("a link on which something is left out for good does not take the audits of others") {
  Rig rig;
  rig.add_node(1, {1, 2});
  rig.add_node(2);
  rig.add_node(3);
  rig.parted = [](std::size_t a, std::size_t b) { return a + b == 3; };
  FakeStore author(9);
  FakeStore twin(9);
  const auto segment = author.append({"a", 1}).own_segments[0];
  store_segment(rig.store(0), segment);
  store_segment(rig.store(1), segment);
  store_segment(rig.store(2), twin.append({"a", 1, 9}).own_segments[0]);
  for (const std::size_t i : {0U, 1U, 2U})
    rig.start(i);
  rig.run_for(seconds(2));
  const std::uint64_t before = rig.count(1, "sync_req").messages_in;
  const std::uint64_t before_forked = rig.count(2, "sync_req").messages_in;
  rig.run_for(seconds(3600));
  CHECK(rig.count(1, "sync_req").messages_in >= before + 10);
  CHECK(rig.count(2, "sync_req").messages_in >= before_forked + 5);
  CHECK(rig.node(0).faults.empty());
}

TEST_CASE("a peer that owes the answer to an audit for too long is given up") {
  FakeStore store(1);
  RawPeer peer(store, 2);
  peer.greet();
  while (!peer.take<codec::SyncAuditReq>())
    run_alive(peer, seconds(1));
  run_alive(peer, seconds(540));
  CHECK(!peer.closed());
  run_alive(peer, seconds(120));
  CHECK(peer.closed());
}

TEST_CASE("a range that is none of an audit's ends the link") {
  FakeStore store(1);
  RawPeer peer(store, 2);
  peer.greet();
  std::optional<codec::SyncAuditReq> audit;
  while (!(audit = peer.take<codec::SyncAuditReq>()))
    run_alive(peer, seconds(1));
  codec::SyncRange range;
  range.prefix = IdPrefix{}.child((id_digit(audit->prefix.first, 0) + 1) % 16);
  peer.send(codec::SyncRanges{{range}, {}, 0});
  CHECK(peer.faulted_with("malformed_list"));
}

}  // namespace
}  // namespace ebb::tests
