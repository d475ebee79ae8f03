#include <doctest/doctest.h>

#include "core/limits.h"
#include "tests/mesh/raw_peer.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

std::size_t segment_bytes(const codec::Delta& delta) {
  std::size_t bytes = 0;
  for (const ByteView segment : delta.segments)
    bytes += segment.size();
  return bytes;
}

// Segment bytes of all DELTAs that the engine has sent and the test not yet counted.
std::size_t served(RawPeer& peer) {
  std::size_t bytes = 0;
  while (const auto delta = peer.take<codec::Delta>()) {
    CHECK((segment_bytes(*delta) <= limits::kDeltaBytes || delta->segments.size() == 1));
    bytes += segment_bytes(*delta);
  }
  return bytes;
}

codec::Want want_all(const LogId& log) {
  codec::Want want;
  want.reconciliation.data[0] = 5;
  want.ranges = {{log, 1, 0}};
  return want;
}

TEST_CASE("no more than the credit is sent until ACK gives some back") {
  FakeStore store(1);
  for (int i = 0; i < 100; ++i)
    static_cast<void>(store.append({"a", 1, 60000}));
  RawPeer peer(store, 2);
  peer.greet();
  peer.send(want_all(store.own_log("a")));
  const std::size_t first = served(peer);
  CHECK(first > limits::kInboundBytesPerPeer / 2);
  CHECK(first <= limits::kInboundBytesPerPeer);
  CHECK(peer.messages_waiting() == 0);
  codec::Ack ack;
  ack.credit_bytes = first;
  peer.send(ack);
  const std::size_t second = served(peer);
  CHECK(second > limits::kInboundBytesPerPeer / 2);
  CHECK(second <= limits::kInboundBytesPerPeer);
}

TEST_CASE("credit that was never used cannot be given back") {
  FakeStore store(1);
  RawPeer peer(store, 2);
  peer.greet();
  codec::Ack ack;
  ack.credit_bytes = 1;
  peer.send(ack);
  CHECK(peer.faulted_with("credit_overflow"));
}

TEST_CASE("reads stop while the driver's queue is long") {
  FakeStore store(1);
  for (int i = 0; i < 20; ++i)
    static_cast<void>(store.append({"a", 1, 60000}));
  RawPeer peer(store, 2);
  peer.greet();
  const mesh::LinkId link = peer.engine().links()[0].link;
  peer.input(mesh::SendProgress{link, limits::kInboundBytesPerPeer + 1});
  peer.send(want_all(store.own_log("a")));
  CHECK(peer.reads().empty());
  peer.input(mesh::SendProgress{link, 0});
  CHECK(!peer.reads().empty());
}

TEST_CASE("a peer that sends more than its credit is cut off") {
  FakeStore store(1);
  FakeStore author(9);
  RawPeer peer(store, 2);
  peer.answers_commits = false;
  peer.greet();
  std::size_t sent = 0;
  while (sent <= limits::kInboundBytesPerPeer && !peer.closed()) {
    const trust::VerifiedSegment segment = author.append({"a", 1, 60000}).own_segments[0];
    sent += segment.encoded->size();
    peer.send(delta_of({segment}));
  }
  CHECK(sent > limits::kInboundBytesPerPeer);
  CHECK(peer.faulted_with("credit_exceeded"));
  CHECK(peer.engine().queued_bytes() <= limits::kInboundBytesPerPeer);
}

TEST_CASE("dropped segments give their credit back, stored ones after their commit") {
  FakeStore store(1);
  FakeStore author(9);
  RawPeer peer(store, 2);
  peer.greet();
  const trust::VerifiedSegment segment = author.append({"a", 3}).own_segments[0];
  peer.send(delta_of({segment}));
  peer.run_until(peer.now + milliseconds(6));
  const auto stored = peer.take<codec::Ack>();
  REQUIRE(stored);
  CHECK(stored->credit_bytes == segment.encoded->size());
  CHECK(stored->durable == std::vector<codec::LogSeq>{{segment.log, 3}});
  peer.send(delta_of({segment}));
  peer.run_until(peer.now + milliseconds(11));  // a busy link gathers longer
  const auto dropped = peer.take<codec::Ack>();
  REQUIRE(dropped);
  CHECK(dropped->credit_bytes == segment.encoded->size());
  CHECK(dropped->durable.empty());
  CHECK(peer.engine().counters().events_redundant == 3);
}

TEST_CASE("a full disk: nothing is lost, nothing is asked for during the pause, then all comes") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2, {0});
  for (int i = 0; i < 50; ++i)
    static_cast<void>(rig.store(0).append({"a", 10, 1000}));
  rig.store(1).failing = true;
  rig.start(0);
  rig.start(1);
  rig.run_for(seconds(60));
  CHECK(rig.store(1).events() == 0);
  const std::uint64_t wants = rig.count(1, "want").messages_out;
  CHECK(wants >= 2);
  // The pause doubles: 1, 2, 4, 8, 16, 32 s.
  CHECK(wants <= 8);
  CHECK(rig.node(0).faults.empty());
  CHECK(rig.node(1).faults.empty());
  rig.store(1).failing = false;
  rig.run_for(seconds(65));
  CHECK(rig.store(1).events() == 500);
  CHECK(rig.engine(0).root() == rig.engine(1).root());
  CHECK(rig.engine(1).queued_bytes() == 0);
}

TEST_CASE("what local programs append does not end the pause of a failed commit") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.start(0);
  rig.start(1);
  rig.run_for(seconds(1));
  rig.store(1).failing = true;
  rig.append(0, {"a", 1});
  rig.run_for(milliseconds(100));
  CHECK(rig.engine(1).events_held() == 0);
  rig.store(1).failing = false;
  rig.run_for(seconds(2));
  CHECK(rig.engine(1).events_held() == 1);
}

}  // namespace
}  // namespace ebb::tests
