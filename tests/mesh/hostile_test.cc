#include <doctest/doctest.h>

#include "core/limits.h"
#include "tests/codec/allocation_peak.h"
#include "tests/mesh/raw_peer.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

// What a small frame and the end of its link may take for a moment, in the peer of the test too.
constexpr std::size_t kMemoryOfFrame = std::size_t{64} << 10;

Bytes frame_of(const codec::Message& message) {
  Bytes bytes;
  codec::encode_frame(message, bytes);
  return Bytes(bytes.begin() + 4, bytes.end());
}

// One message of each kind, with something in every list.
std::vector<Bytes> one_of_each(FakeStore& author) {
  const trust::VerifiedSegment segment = author.append({"a", 2}).own_segments[0];
  const mesh::StoredHead head = author.heads()[0];
  const ReconciliationId id = ReconciliationId::from(Bytes(16, 3)).value();
  codec::Hello hello;
  hello.mesh = test_mesh();
  hello.reconciliation = id;
  const codec::SignedHead signed_head{head.key, head.held.seq, head.hlc, head.held.chain,
                                      head.signature};
  codec::SyncRange range;
  range.prefix = IdPrefix{}.child(3);
  range.children[5].data[0] = 1;
  return {frame_of(hello),
          frame_of(codec::YourLogsSummary{{}, 3}),
          frame_of(codec::YourLogsAsk{}),
          frame_of(codec::YourLogsHeads{{signed_head}, true}),
          frame_of(codec::SyncListReq{segment.log}),
          frame_of(codec::SyncRangesReq{{range}}),
          frame_of(codec::SyncCutsReq{{{}}}),
          frame_of(codec::SyncHeadsReq{{segment.log}}),
          frame_of(codec::SyncAuditReq{range.prefix, range.children[5]}),
          frame_of(codec::SyncList{{{segment.log, 4, {}}}, true, 9}),
          frame_of(codec::SyncRanges{{range}, {{segment.log, 4, {}}}, 9}),
          frame_of(codec::SyncChanges{{{{}, 4, {}}}, {{segment.log, 4, {}}}, false, false, 9}),
          frame_of(codec::SyncHeads{{signed_head}}),
          frame_of(codec::Want{id, {{segment.log, 1, 0}}}),
          frame_of(delta_of({segment}, id)),
          frame_of(codec::Ack{id, 0, {{segment.log, 2}}, true}),
          frame_of(codec::Have{{{segment.log, 2}}}),
          frame_of(codec::Prune{{segment.log}}),
          frame_of(codec::Ping{7, false}),
          frame_of(codec::Peers{{{head.key.device, "a:1"}}}),
          frame_of(codec::Bye{codec::ByeCode::kShutdown, "bye"})};
}

TEST_CASE("a message cut at any byte ends the link, counts, and leaves nothing behind") {
  FakeStore store(1);
  FakeStore author(9);
  RawPeer peer(store, 2);
  std::uint64_t faults = 0;
  for (const Bytes& frame : one_of_each(author)) {
    for (std::size_t size = 1; size < frame.size(); ++size) {
      peer.run_until(peer.now + milliseconds(2));  // a second has 500 answers, all sources together
      peer.greet();
      peer.send_frame(ByteView(frame).first(size));
      ++faults;
      REQUIRE(peer.closed());
      REQUIRE(peer.faulted_with("malformed_frame"));
    }
  }
  CHECK(peer.engine().counters().faults.at("malformed_frame") == faults);
  CHECK(peer.engine().links().empty());
  CHECK(peer.engine().queued_bytes() == 0);
  CHECK(store.events() == 0);
}

TEST_CASE("a message with any length field at its maximum ends the link and costs no memory") {
  FakeStore store(1);
  FakeStore author(9);
  // bin32, str32, array32 and map32 with the largest size, in place of each byte of each message.
  for (const std::uint8_t header : Bytes{0xc6, 0xdb, 0xdd, 0xdf}) {
    for (const Bytes& frame : one_of_each(author)) {
      for (std::size_t at = 0; at < frame.size(); ++at) {
        Bytes damaged(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(at));
        damaged.push_back(header);
        damaged.insert(damaged.end(), 4, 0xff);
        append(damaged, ByteView(frame).subspan(at + 1));
        RawPeer peer(store, 2);
        peer.greet();
        const AllocationPeak memory;
        peer.send_frame(damaged);
        REQUIRE(memory.bytes() <= kMemoryOfFrame);
        REQUIRE(peer.closed());
        REQUIRE(peer.faulted_with("malformed_frame"));
      }
    }
  }
  CHECK(store.events() == 0);
}

TEST_CASE("a chunk header of no chunk ends the link before anything of it is kept") {
  FakeStore store(1);
  const std::pair<std::uint32_t, std::string_view> headers[] = {
      {0, "too_large"},
      {limits::kChunkBytes + 1, "too_large"},
      {0x80000000, "too_large"},
      {0x05000001, "malformed_frame"},
      {0x10000001, "malformed_frame"},
      {UINT32_MAX, "malformed_frame"}};
  for (const auto& [header, reason] : headers) {
    RawPeer peer(store, 2);
    peer.greet();
    Bytes bytes;
    append_be32(bytes, header);
    peer.send_bytes(bytes);
    CHECK(peer.closed());
    CHECK(peer.faulted_with(reason));
  }
}

TEST_CASE("frames that never end are kept to their bound, end the link and die with it") {
  FakeStore store(1);
  RawPeer peer(store, 2);
  peer.greet();
  const Bytes piece(limits::kChunkBytes, 0x93);
  std::size_t peak = 0;
  for (std::size_t i = 0; !peer.closed(); ++i) {
    Bytes bytes;
    codec::append_chunk(static_cast<codec::Priority>(i % codec::kPriorities), piece, true, bytes);
    peer.send_bytes(bytes);
    peak = std::max(peak, peer.engine().queued_bytes());
  }
  CHECK(peer.faulted_with("too_large"));
  CHECK(peak == limits::kBegunBytes);
  CHECK(peer.engine().queued_bytes() == 0);
}

TEST_CASE("a frame that stays unfinished dies with its silent link") {
  FakeStore store(1);
  RawPeer peer(store, 2);
  peer.answers_pings = false;
  peer.greet();
  Bytes bytes;
  codec::append_chunk(codec::Priority::kLive, Bytes(limits::kChunkBytes, 0x93), true, bytes);
  peer.send_bytes(bytes);
  CHECK(peer.engine().queued_bytes() == limits::kChunkBytes);
  peer.run_until(peer.now + seconds(60));
  CHECK(peer.closed());
  CHECK(peer.engine().queued_bytes() == 0);
}

TEST_CASE("bytes in portions of any size are the same stream") {
  FakeStore store(1);
  FakeStore author(9);
  const trust::VerifiedSegment segment = author.append({"a", 2}).own_segments[0];
  RawPeer peer(store, 2);
  Bytes stream = plain_preamble(peer.self().device());
  codec::encode_frame(peer.hello(), stream);
  codec::encode_frame(codec::YourLogsSummary{}, stream);
  codec::encode_frame(delta_of({segment}), stream);
  for (std::size_t portion = 1; portion < 9; ++portion) {
    FakeStore fresh(1);
    RawPeer listener(fresh, 2);
    listener.input(mesh::LinkUp{mesh::LinkId{mesh::kInboundBit}, false, "p:1"});
    for (std::size_t at = 0; at < stream.size(); at += portion) {
      listener.send_bytes(ByteView(stream).subspan(at, std::min(portion, stream.size() - at)));
    }
    CHECK(fresh.events() == 2);
    CHECK(listener.faults().empty());
  }
}

TEST_CASE("whoever does not begin with the preamble is refused at its first wrong byte") {
  FakeStore store(1);
  RawPeer peer(store, 2);
  peer.input(mesh::LinkUp{mesh::LinkId{mesh::kInboundBit}, false, "p:1"});
  peer.send_bytes(as_bytes("ebb-pl"));
  CHECK(!peer.closed());
  peer.send_bytes(as_bytes("GET / HTTP/1.1"));
  CHECK(peer.closed());
  CHECK(peer.faulted_with("bad_channel"));
}

TEST_CASE("nothing but HELLO or BYE may come first, and HELLO only once") {
  FakeStore store(1);
  FakeStore author(9);
  RawPeer peer(store, 2);
  const std::vector<Bytes> messages = one_of_each(author);
  for (std::size_t i = 1; i + 1 < messages.size(); ++i) {
    peer.connect();
    peer.send_frame(messages[i]);
    CHECK(peer.faulted_with("out_of_order"));
    CHECK(peer.closed());
  }
  CHECK(store.events() == 0);
  peer.greet();
  peer.send(peer.hello());
  CHECK(peer.faulted_with("out_of_order"));
  peer.connect();
  peer.send(codec::Bye{codec::ByeCode::kShutdown, "x"});
  CHECK(peer.closed());
}

TEST_CASE("a message of a later version is counted and ignored") {
  FakeStore store(1);
  RawPeer peer(store, 2);
  peer.greet();
  peer.send_frame(Bytes{0x92, 0x63, 0xc0});  // [99, nil]
  CHECK(!peer.closed());
  CHECK(peer.engine().counters().messages.at("unknown").messages_in == 1);
  CHECK(peer.engine().counters().messages.at("unknown").bytes_in == 7);
}

TEST_CASE("one bad segment spoils its DELTA: nothing of it is kept or passed on") {
  FakeStore store(1);
  FakeStore author(9);
  const trust::VerifiedSegment first = author.append({"a", 2}).own_segments[0];
  const trust::VerifiedSegment second = author.append({"a", 2}).own_segments[0];
  std::size_t closed = 0;
  for (std::size_t at = 0; at < second.encoded->size(); ++at) {
    Bytes damaged = *second.encoded;
    damaged[at] ^= 1;
    RawPeer peer(store, 2);
    peer.greet();
    codec::Delta delta = delta_of({first});
    delta.segments.emplace_back(damaged);
    peer.send(delta);
    CAPTURE(at);
    CAPTURE(peer.closed());
    // Another log id, sequence or history is no lie about this one: it is left out, the first kept.
    CHECK(store.events() == (peer.closed() ? 0U : 2U));
    if (peer.closed()) ++closed;
    store = FakeStore(1);
  }
  CHECK(closed > second.encoded->size() / 2);
}

TEST_CASE("a segment of a log whose key was never named is a fault") {
  FakeStore store(1);
  FakeStore author(9);
  codec::Delta delta = delta_of({author.append({"a", 2}).own_segments[0]});
  delta.keys.clear();
  RawPeer peer(store, 2);
  peer.greet();
  peer.send(delta);
  CHECK(peer.faulted_with("unknown_log_key"));
}

TEST_CASE("claims of absurd positions cost three empty answers and no memory") {
  FakeStore store(1);
  RawPeer peer(store, 2);
  peer.greet();
  LogId log;
  log.data[0] = 1;
  for (int round = 0; round < 3; ++round) {
    REQUIRE(!peer.closed());
    peer.send(codec::Have{{{log, UINT64_MAX}}});
    CHECK(peer.engine().events_known() < (std::uint64_t{1} << 41));
    REQUIRE(peer.take<codec::Want>());
    codec::Delta empty;
    empty.last = true;
    peer.send(empty);
  }
  CHECK(peer.closed());
  CHECK(peer.faulted_with("empty_answers"));
  CHECK(peer.engine().events_known() == 0);
}

TEST_CASE("a liar delays, but an honest announcer still delivers") {
  FakeStore store(1);
  FakeStore author(9);
  const trust::VerifiedSegment segment = author.append({"a", 2}).own_segments[0];
  RawPeer peer(store, 2);
  peer.greet();
  peer.send(codec::Have{{{segment.log, UINT64_MAX}}});
  REQUIRE(peer.take<codec::Want>());
  peer.send(delta_of({segment}));
  CHECK(store.events() == 2);
  codec::Delta empty;
  empty.last = true;
  peer.send(empty);
  REQUIRE(peer.take<codec::Want>());
  peer.send(empty);
  CHECK(peer.engine().events_known() == 2);
  CHECK(!peer.closed());
}

TEST_CASE("lists that do not end, go back or come unasked end the link") {
  FakeStore store(1);
  FakeStore author(9);
  static_cast<void>(author.append({"a", 2}));
  const auto begin = [](RawPeer& peer) {
    peer.connect();
    codec::Hello hello = peer.hello();
    hello.count = 5;
    peer.send(hello);
    peer.send(codec::YourLogsSummary{});
  };
  LogId low;
  low.data[0] = 1;
  LogId high;
  high.data[0] = 2;

  SUBCASE("unasked") {
    RawPeer peer(store, 2);
    peer.greet();
    peer.send(codec::SyncList{});
    CHECK(peer.faulted_with("out_of_order"));
  }
  SUBCASE("going back") {
    RawPeer peer(store, 2);
    begin(peer);
    peer.send(codec::SyncList{{{high, 1, {}}, {low, 1, {}}}, false, 0});
    CHECK(peer.faulted_with("malformed_list"));
  }
  SUBCASE("more of nothing") {
    RawPeer peer(store, 2);
    begin(peer);
    peer.send(codec::SyncList{{}, true, 0});
    CHECK(peer.faulted_with("endless_list"));
  }
  SUBCASE("more than there can be") {
    RawPeer peer(store, 2);
    begin(peer);
    std::uint64_t number = 0;
    while (!peer.closed()) {
      codec::SyncList page{{}, true, 0};
      for (std::size_t i = 0; i < limits::kHeadsPerMessage; ++i) {
        Bytes name;
        append_be64(name, ++number);
        append_be64(name, 0);
        page.heads.push_back({LogId::from(name).value(), 1, {}});
      }
      peer.send(page);
      peer.forget_received();
      REQUIRE(number < 2 * limits::kKnownLogs + 2 * limits::kHeadsPerMessage);
    }
    CHECK(peer.faulted_with("endless_list"));
    CHECK(peer.engine().events_known() == 0);
  }
  SUBCASE("heads of ours without end") {
    RawPeer peer(store, 2);
    peer.connect();
    peer.send(peer.hello());
    codec::YourLogsSummary summary;
    summary.count = 1;
    peer.send(summary);
    peer.send(codec::YourLogsHeads{{}, true});
    CHECK(peer.faulted_with("endless_list"));
  }
}

TEST_CASE("WANTs beyond the bound or from nothing are faults") {
  FakeStore store(1);
  for (int i = 0; i < 10; ++i)
    static_cast<void>(store.append({"t" + std::to_string(i), 1}));
  RawPeer peer(store, 2);
  peer.greet();
  peer.answers_reads = false;
  for (std::size_t i = 0; i <= limits::kWantsInHand; ++i) {
    CHECK(!peer.closed());
    codec::Want want;
    want.ranges = {{store.own_log("t" + std::to_string(i)), 1, 0}};
    peer.send(want);
  }
  CHECK(peer.faulted_with("too_many_wants"));
  peer.greet();
  codec::Want zero;
  zero.ranges = {{store.own_log("t1"), 0, 0}};
  peer.send(zero);
  CHECK(peer.faulted_with("malformed_want"));
}

TEST_CASE("two histories of one log: noticed, the first one stays, the peer is not to blame") {
  FakeStore store(1);
  FakeStore author(9);
  FakeStore twin(9);
  const trust::VerifiedSegment ours = author.append({"a", 2}).own_segments[0];
  static_cast<void>(twin.append({"a", 2, 100}));
  const trust::VerifiedSegment theirs = twin.append({"a", 1}).own_segments[0];
  RawPeer peer(store, 2);
  peer.greet();
  peer.send(delta_of({ours}));
  peer.send(delta_of({theirs}));
  CHECK(!peer.closed());
  CHECK(peer.engine().counters().forks_suspected == 1);
  CHECK(store.events() == 2);
  // Not asked for from that link again.
  peer.forget_received();
  peer.send(codec::Have{{{ours.log, 3}}});
  peer.run_until(peer.now + seconds(2));
  CHECK(!peer.take<codec::Want>());
}

}  // namespace
}  // namespace ebb::tests
