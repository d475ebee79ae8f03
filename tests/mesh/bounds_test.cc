#include <doctest/doctest.h>

#include <algorithm>

#include "core/limits.h"
#include "tests/mesh/crowd.h"
#include "tests/mesh/raw_peer.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

// Ten logs of 2 MB each.
void fill(FakeStore& store) {
  for (int log = 0; log < 10; ++log) {
    for (int i = 0; i < 35; ++i)
      static_cast<void>(store.append({"old-" + std::to_string(log), 20, 3000}));
  }
}

codec::Want want_everything(const FakeStore& store) {
  codec::Want want;
  want.reconciliation.data[0] = 5;
  for (int log = 0; log < 10; ++log)
    want.ranges.push_back({store.own_log("old-" + std::to_string(log)), 1, 0});
  return want;
}

// Whatever makes the engine keep something: wants, requests, frames that do not end.
void ask_for_all(Crowd& crowd, std::size_t peer) {
  for (std::size_t i = 0; i < limits::kWantsInHand; ++i)
    crowd.send(peer, want_everything(crowd.store));
  for (int i = 0; i < 100; ++i)
    crowd.send(peer, codec::SyncListReq{});
}

void begin_frames(Crowd& crowd, std::size_t peer) {
  const Bytes piece(limits::kChunkBytes, 0x93);
  for (std::size_t i = 0; i < 28; ++i) {
    Bytes bytes;
    codec::append_chunk(static_cast<codec::Priority>(1 + i % 4), piece, true, bytes);
    crowd.send_bytes(peer, std::move(bytes));
  }
}

TEST_CASE("64 links that stop reading and end nothing: all queues stay within their bounds") {
  Crowd crowd(limits::kLinks);
  fill(crowd.store);
  crowd.greet();
  crowd.answers_commits = false;
  for (std::size_t peer = 0; peer < crowd.size(); ++peer) {
    ask_for_all(crowd, peer);
    begin_frames(crowd, peer);
  }
  for (int i = 0; i < 500; ++i)
    crowd.input(crowd.store.append({"live-" + std::to_string(i % 20), 1, 3000}));
  CHECK(crowd.peak_bytes() > (std::size_t{16} << 20));
  CHECK(crowd.peak_bytes() <= limits::kQueuedBytesTotal);
  MESSAGE("peak " << (crowd.peak_bytes() >> 10) << " KiB of " << (limits::kQueuedBytesTotal >> 10));
  for (std::size_t peer = 0; peer < crowd.size(); ++peer) {
    CAPTURE(peer);
    CHECK(crowd.in_driver(peer) <= limits::kLinkWaitingBytes);
  }
}

TEST_CASE("who reads gets live events while 63 others sit on theirs") {
  Crowd crowd(limits::kLinks);
  fill(crowd.store);
  constexpr std::size_t kReader = 3;
  crowd.set_reading(kReader);
  crowd.greet();
  for (std::size_t peer = 0; peer < crowd.size(); ++peer) {
    if (peer != kReader) ask_for_all(crowd, peer);
  }
  for (int i = 0; i < 1000; ++i) {
    const mesh::Committed news = crowd.store.append({"live", 1, 3000});
    codec::Ack ack;
    ack.credit_bytes = news.own_segments[0].encoded->size();
    crowd.input(news);
    REQUIRE(crowd.count<codec::Delta>(kReader) == static_cast<std::size_t>(i + 1));
    crowd.send(kReader, ack);
  }
  CHECK(crowd.peak_bytes() <= limits::kQueuedBytesTotal);
}

TEST_CASE("a peer that asks for lists without end and reads none is closed") {
  Crowd crowd(2);
  for (Incarnation incarnation = 1; incarnation <= 2000; ++incarnation) {
    crowd.store.begin_incarnation(incarnation);
    static_cast<void>(crowd.store.append({"t", 1}));
  }
  crowd.set_reading(1);
  crowd.greet();
  SUBCASE("as control, in its exchange") {}
  SUBCASE("as an audit, behind it") {
    crowd.send(0, codec::SyncRanges{});
    codec::Ack done;
    done.done = true;
    crowd.send(0, done);
  }
  int asked = 0;
  while (!crowd.closed(0) && asked < 1000) {
    crowd.send(0, codec::SyncListReq{});
    ++asked;
  }
  CHECK(crowd.closed(0));
  CHECK(asked < 100);
  CHECK(!crowd.closed(1));
  CHECK(crowd.engine->queued_bytes() == 0);
}

TEST_CASE("no more than 8 catch-ups at a time, and the next begins when one ends") {
  constexpr std::size_t kPeers = 20;
  Crowd crowd(kPeers);
  for (std::size_t peer = 0; peer < kPeers; ++peer)
    crowd.set_reading(peer);
  crowd.greet();
  std::vector<trust::VerifiedSegment> segments;
  const auto wants = [&crowd] {
    std::size_t count = 0;
    for (std::size_t peer = 0; peer < kPeers; ++peer)
      count += crowd.count<codec::Want>(peer);
    return count;
  };
  for (std::size_t peer = 0; peer < kPeers; ++peer) {
    FakeStore author(static_cast<std::uint8_t>(10 + peer));
    segments.push_back(author.append({"a", 1}).own_segments[0]);
    crowd.send(peer, codec::SyncList{{{segments.back().log, 1, {}}}, false, 0});
  }
  CHECK(wants() == limits::kCatchUps);
  std::size_t answered = 0;
  for (int round = 0; round < 3; ++round) {
    for (std::size_t peer = 0; peer < kPeers; ++peer) {
      if (crowd.count<codec::Want>(peer) == 0 || segments[peer].count == 0) continue;
      codec::Delta delta = delta_of({segments[peer]});
      delta.reconciliation.data[15] = 9;
      delta.last = true;
      crowd.send(peer, delta);
      segments[peer].count = 0;  // has answered
      ++answered;
      CHECK(wants() == std::min(kPeers, limits::kCatchUps + answered));
    }
  }
  CHECK(answered == kPeers);
  CHECK(crowd.store.events() == kPeers);
}

// A peer that was asked for a log, and has begun its answer.
struct SlowAnswer {
  SlowAnswer() : peer(store, 2) {
    FakeStore author(9);
    peer.connect();
    codec::Hello hello = peer.hello();
    hello.count = 1;
    peer.send(hello);
    peer.send(codec::YourLogsSummary{});
    const LogId log = author.append({"a", 1}).own_segments[0].log;
    peer.send(codec::SyncList{{{log, 1, {}}}, false, 0});
    REQUIRE(peer.take<codec::Want>());
  }
  // Sends so much each second of chunks that never end a frame. True while the link lives.
  bool drip(std::size_t bytes, int for_seconds) {
    for (int i = 0; i < for_seconds && !peer.closed(); ++i) {
      peer.run_until(peer.now + seconds(1));
      Bytes chunk;
      const auto priority = static_cast<codec::Priority>(i % 5);
      codec::append_chunk(priority, Bytes(bytes, 1), true, chunk);
      if (!peer.closed()) peer.send_bytes(chunk);
    }
    return !peer.closed();
  }
  FakeStore store{1};
  RawPeer peer;
};

TEST_CASE("an answer that drips at a byte a second ends the link after a minute") {
  SlowAnswer slow;
  CHECK(slow.drip(1, 58));
  CHECK(!slow.drip(1, 4));
}

TEST_CASE("an answer at 2 KiB a second is waited for") {
  SlowAnswer slow;
  CHECK(slow.drip(2048, 600));
  CHECK(slow.peer.faults().empty());
}

TEST_CASE("a link that brings nothing new for 8 MiB is dropped") {
  FakeStore store(1);
  FakeStore author(9);
  RawPeer peer(store, 2);
  peer.greet();
  const trust::VerifiedSegment segment = author.append({"a", 1, 60000}).own_segments[0];
  codec::Delta delta = delta_of({segment}, peer.hello().reconciliation);
  std::size_t sent = 0;
  while (!peer.closed() && sent < 4 * limits::kUselessBytes) {
    peer.send(delta);
    peer.run_until(peer.now + milliseconds(6));
    sent += segment.encoded->size();
  }
  CHECK(peer.faulted_with("brings_nothing"));
  CHECK(sent > limits::kUselessBytes);
  CHECK(sent < limits::kUselessBytes + 3 * segment.encoded->size());
  CHECK(store.events() == 1);
}

TEST_CASE("logs that the store has no room for are counted, told once a link and left out") {
  FakeStore store(1);
  FakeStore author(9);
  const auto known = author.append({"a", 1}).own_segments[0];
  const auto more = author.append({"a", 1}).own_segments[0];
  const auto second = author.append({"b", 1}).own_segments[0];
  const auto third = author.append({"c", 1}).own_segments[0];
  RawPeer peer(store, 2);
  peer.greet();
  peer.send(delta_of({known}));
  store.full = true;
  peer.send(delta_of({second}));
  peer.send(delta_of({third}));
  peer.send(delta_of({more}));
  CHECK(peer.engine().counters().logs_refused == 2);
  const auto told = std::count_if(
      peer.notices().begin(), peer.notices().end(),
      [](const mesh::Notice& notice) { return notice.kind == mesh::NoticeKind::kLogRefused; });
  CHECK(told == 1);
  CHECK(!peer.closed());
  CHECK(store.events() == 2);
}

}  // namespace
}  // namespace ebb::tests
