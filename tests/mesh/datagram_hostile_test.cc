// What datagrams of strangers, and of devices that lie, can and cannot bring about.
#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "codec/datagram.h"
#include "codec/segment.h"
#include "core/limits.h"
#include "mesh/sync_answer.h"
#include "tests/mesh/strange.h"

namespace ebb::tests {
namespace {

std::vector<codec::DatagramBody> all_kinds(const Strange& rig) {
  codec::RootDatagram answer = rig.peer->root();
  answer.answer = true;
  const LogId log = LogId{};
  return {rig.peer->root(), answer, codec::HeadsDatagram{{{log, 5, {}}}},
          codec::WantDatagram{{{log, 1}}}, codec::SegmentsDatagram{}};
}

}  // namespace

TEST_CASE("who has no live keys is met with silence, and leaves nothing behind") {
  Strange rig;
  rig.append(0, {"a", 1});
  for (const codec::DatagramBody& body : all_kinds(rig)) {
    // As it is; under an index that nobody has; under that of somebody, with another key.
    rig.peer->send_raw(codec::encode_datagram(body));
    Bytes other = rig.peer->sealed(body);
    other[4] ^= 1;
    rig.peer->send_raw(other);
    const Bytes right = rig.peer->sealed(body);
    channel::DatagramSealer stranger(channel::CipherState(channel::Key{}),
                                     read_be32(ByteView(right).subspan(4)));
    Bytes forged;
    REQUIRE(stranger.seal(codec::datagram_type(body), codec::encode_datagram(body), forged).ok());
    rig.peer->send_raw(forged);
  }
  rig.run_for(seconds(10));
  CHECK(rig.peer->came.empty());
  CHECK(rig.engine(0).counters().datagrams_out == 0);
  CHECK(rig.node(0).reads.empty());
  CHECK(rig.engine(0).gossip_partners() == 0);
  CHECK(rig.engine(0).counters().datagrams_opened == 0);
  CHECK(rig.dropped("malformed") == 5);
  CHECK(rig.dropped("unknown_index") == 5);
  CHECK(rig.dropped("bad_tag") == 5);
  // What was forged has moved no window.
  rig.peer->send(rig.peer->root());
  CHECK(rig.peer->take<codec::RootDatagram>());
}

TEST_CASE(
    "a datagram with any byte changed or cut off is met with silence; nothing is taken twice") {
  Strange rig;
  rig.append(0, {"a", 1});
  const auto own = rig.other.append({"a", 1}).own_segments[0];
  std::vector<codec::DatagramBody> bodies = all_kinds(rig);
  bodies.emplace_back(codec::SegmentsDatagram{{own.key}, {*own.encoded}});
  for (const codec::DatagramBody& body : bodies) {
    const Bytes good = rig.peer->sealed(body);
    for (std::size_t size = 0; size < good.size(); ++size)
      rig.peer->send_raw(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
    for (std::size_t at = 0; at < good.size(); ++at) {
      Bytes bent = good;
      bent[at] ^= 0x40;
      rig.peer->send_raw(bent);
    }
  }
  CHECK(rig.engine(0).counters().datagrams_opened == 0);
  CHECK(rig.peer->came.empty());
  const Bytes good = rig.peer->sealed(rig.peer->root());
  rig.peer->send_raw(good);
  CHECK(rig.peer->take<codec::RootDatagram>());
  rig.run_for(seconds(1));
  for (int i = 0; i < 100; ++i)
    rig.peer->send_from("stranger:" + std::to_string(i % 3 + 8), good);
  CHECK(rig.dropped("replayed") == 100);
  CHECK(rig.engine(0).counters().datagrams_opened == 1);
  CHECK(rig.peer->came.empty());
}

TEST_CASE("what a device seals itself, cut off or changed, is dropped or harmless") {
  Strange rig;
  rig.append(0, {"a", 1});
  const auto own = rig.other.append({"a", 1}).own_segments[0];
  std::vector<codec::DatagramBody> bodies = all_kinds(rig);
  bodies.emplace_back(codec::SegmentsDatagram{{own.key}, {*own.encoded}});
  for (const codec::DatagramBody& body : bodies) {
    const std::uint8_t type = codec::datagram_type(body);
    const Bytes good = codec::encode_datagram(body);
    for (std::size_t size = 0; size < good.size(); ++size)
      rig.peer->send_raw(rig.peer->sealed_bytes(type, ByteView(good).first(size)));
    for (std::size_t at = 0; at < good.size(); ++at) {
      // The largest lengths of arrays, strings and numbers among them.
      for (const int byte : {0x9f, 0xdd, 0xdf, 0xc6, 0xdb, 0xcf, 0xff}) {
        Bytes bent = good;
        bent[at] = static_cast<std::uint8_t>(byte);
        rig.peer->send_raw(rig.peer->sealed_bytes(type, bent));
      }
    }
  }
  rig.peer->send_raw(rig.peer->sealed_bytes(9, {}));
  CHECK(rig.dropped("unsupported") == 1);
  CHECK(rig.dropped("malformed") > 500);
  rig.run_for(seconds(1));
  CHECK(rig.node(0).faults.empty());
  CHECK(rig.engine(0).gossip_partners() <= 1);
  CHECK(rig.engine(0).log_count() == 1);
}

TEST_CASE("answers go to where the newest authentic datagram came from, and nowhere else") {
  Strange rig;
  DatagramPeer& peer = *rig.peer;
  std::string last;
  rig.on_datagram = [&last](std::size_t, const std::string& to, const Bytes&) {
    last = to;
    return true;
  };
  const auto ask_from = [&](const std::string& address, Bytes bytes) {
    last.clear();
    rig.run_for(seconds(1));
    peer.send_from(address, std::move(bytes));
    return last;
  };
  CHECK(ask_from("stranger:9", peer.sealed(peer.root())) == "stranger:9");
  const Bytes late = peer.sealed(codec::HeadsDatagram{});
  CHECK(ask_from("elsewhere:5", peer.sealed(peer.root())) == "elsewhere:5");
  // One that was kept back by somebody and comes from his address moves nothing.
  ask_from("thief:1", late);
  CHECK(last == "elsewhere:5");
  Bytes forged = peer.sealed(peer.root());
  forged.back() ^= 1;
  CHECK(ask_from("thief:1", forged).empty());
  CHECK(ask_from("elsewhere:5", peer.sealed(peer.root())) == "elsewhere:5");
}

TEST_CASE("datagrams of a linked node go no further") {
  Strange rig;
  rig.add_node(2, {0});
  // With its keys of an earlier life.
  DatagramPeer before(rig, "stranger:9", rig.store(1).device());
  before.connect();
  rig.start(1);
  rig.run_for(seconds(2));
  REQUIRE(rig.engine(0).links().size() == 1);
  before.send(before.root());
  CHECK(rig.dropped("linked") == 1);
  CHECK(before.came.empty());
}

TEST_CASE("answers to one partner are bounded") {
  Strange rig;
  for (int i = 0; i < 1000; ++i) {
    rig.peer->send(rig.peer->root());
    rig.run_for(milliseconds(1));
  }
  CHECK(rig.peer->came.size() == 5);
  CHECK(rig.dropped("too_often") == 995);
}

TEST_CASE("an older root that is overtaken by another is dropped") {
  Strange rig;
  const Bytes first = rig.peer->sealed(rig.peer->root());
  rig.peer->send(rig.peer->root());
  CHECK(rig.peer->take<codec::RootDatagram>());
  rig.run_for(seconds(1));
  rig.peer->send_raw(first);
  CHECK(rig.dropped("overtaken") == 1);
  CHECK(rig.peer->came.empty());
}

TEST_CASE("of thousands of devices that have keys few are partners, and keys have a bound") {
  Strange rig;
  rig.peer = nullptr;
  rig.dials = false;
  for (std::uint32_t i = 0; i < 1200; ++i) {
    DeviceId device;
    device.data[0] = static_cast<std::uint8_t>(i);
    device.data[1] = static_cast<std::uint8_t>(i >> 8);
    device.data[2] = 1;
    DatagramPeer each(rig, "h" + std::to_string(i) + ":9", device);
    each.connect();
    each.send(each.root());
    CHECK(each.came.size() == 1);
    rig.run_for(milliseconds(10));
  }
  // The places of those chosen here stay free.
  CHECK(rig.engine(0).gossip_partners() == limits::kGossipPartners - limits::kGossipChosen);
  CHECK(rig.engine(0).datagram_sessions() == limits::kDatagramSessions);
  // Those that are being dialled are not of the passive view.
  CHECK(rig.engine(0).peers().size() <= limits::kPassiveView + limits::kOverlayAim);
}

TEST_CASE("who has keys is told and served, up to the bounds of an exchange") {
  Strange rig;
  for (int i = 0; i < 40; ++i)
    rig.append(0, {"a", 1, 600});
  rig.peer->send(rig.peer->root());
  rig.peer->send(codec::HeadsDatagram{});
  const auto heads = rig.peer->take<codec::HeadsDatagram>();
  REQUIRE(heads);
  REQUIRE(heads->heads.size() == 1);
  CHECK(heads->heads[0].seq == 40);
  for (int i = 0; i < 1000; ++i)
    rig.peer->send(codec::WantDatagram{{{heads->heads[0].log, 1}}});
  CHECK(rig.node(0).reads.size() <= limits::kDatagramReads);
  for (const mesh::Read& read : rig.node(0).reads)
    CHECK(read.bytes_max <= limits::kDatagramsPerExchange * limits::kDatagramBytes);
  rig.run_for(seconds(1));
  CHECK(rig.peer->came.size() < limits::kDatagramsPerExchange);
  std::uint64_t events = 0;
  while (const auto sent = rig.peer->take<codec::SegmentsDatagram>()) {
    for (const ByteView segment : sent->segments)
      events += codec::decode_segment(segment)->count;
  }
  CHECK(events > 0);
  CHECK(rig.engine(0).counters().events_sent == events);
}

TEST_CASE("segments of a size that never fits are not read again and again") {
  Strange rig;
  rig.append(0, {"a", 1, 5000});
  rig.peer->send(rig.peer->root());
  for (int i = 0; i < 1000; ++i) {
    rig.peer->send(codec::WantDatagram{{{rig.store(0).own_log("a"), 1}}});
    rig.run_for(microseconds(100));
  }
  CHECK(rig.node(0).reads.size() <= limits::kDatagramReads);
  CHECK(!rig.peer->take<codec::SegmentsDatagram>());
}

TEST_CASE("nothing of our own is shown to a partner that holds more of it than we do") {
  Strange rig;
  rig.append(0, {"a", 1});
  codec::RootDatagram root = rig.peer->root();
  root.view.data[0] = 1;
  root.view_count = 1;
  root.view_heads = {{rig.store(0).own_log("a"), 7, {}}};
  rig.peer->send(root);
  rig.peer->send(codec::HeadsDatagram{});
  rig.peer->send(codec::WantDatagram{{{rig.store(0).own_log("a"), 1}}});
  rig.run_for(seconds(1));
  while (const auto heads = rig.peer->take<codec::HeadsDatagram>())
    CHECK(heads->heads.empty());
  CHECK(rig.node(0).reads.empty());
}

TEST_CASE("a position of our own that a partner shows is compared with the store first") {
  Strange rig;
  rig.append(0, {"a", 1});
  rig.append(0, {"a", 1});
  const LogId log = rig.store(0).own_log("a");
  codec::RootDatagram root = rig.peer->root();
  root.view.data[0] = 1;
  root.view_count = 1;
  root.view_heads = {{log, 1, mesh::chain_prefix(rig.store(0).segments(log)[0].chain)}};
  bool same = true;
  SUBCASE("the same history") {}
  SUBCASE("another history") {
    root.view_heads[0].chain.data[0] ^= 1;
    same = false;
  }
  SUBCASE("a store that does not read") {
    rig.store(0).failing_reads = true;
    same = false;
  }
  rig.peer->send(root);
  rig.peer->send(codec::HeadsDatagram{});
  // Nothing goes out before the store has answered.
  CHECK(!rig.peer->take<codec::HeadsDatagram>());
  REQUIRE(rig.node(0).reads.size() == 1);
  rig.run_for(seconds(1));
  const auto heads = rig.peer->take<codec::HeadsDatagram>();
  REQUIRE(heads);
  CHECK(heads->heads.size() == (same ? 1 : 0));
  rig.store(0).failing_reads = false;
  rig.peer->send(codec::WantDatagram{{{log, 2}}});
  rig.run_for(seconds(1));
  CHECK(rig.peer->take<codec::SegmentsDatagram>().has_value() == same);
  CHECK(rig.node(0).notices.empty());
}

TEST_CASE("segments are taken when they were asked for, come next and are signed") {
  Strange rig;
  const auto first = rig.other.append({"a", 1}).own_segments[0];
  const auto second = rig.other.append({"a", 1}).own_segments[0];
  const auto datagram = [](const trust::VerifiedSegment& segment, ByteView bytes) {
    return codec::SegmentsDatagram{{segment.key}, {bytes}};
  };
  // Nobody asked.
  rig.peer->send(rig.peer->root());
  rig.peer->send(datagram(first, *first.encoded));
  CHECK(rig.dropped("unasked") == 1);
  rig.be_asked(second);
  Bytes forged = *first.encoded;
  forged.back() ^= 1;
  rig.peer->send(datagram(first, forged));
  CHECK(rig.segments("forged") == 1);
  rig.peer->send(datagram(second, *second.encoded));
  CHECK(rig.segments("gap") == 1);
  CHECK(rig.store(0).events() == 0);
  CHECK(rig.engine(0).log_count() == 0);
  rig.peer->send(datagram(first, *first.encoded));
  rig.peer->send(datagram(first, *first.encoded));
  CHECK(rig.segments("taken") == 1);
  CHECK(rig.segments("useless") == 1);
  rig.peer->send(datagram(second, *second.encoded));
  rig.run_for(seconds(1));
  CHECK(rig.store(0).events() == 2);
  CHECK(rig.node(0).faults.empty());
}

TEST_CASE("a flood of segments costs a bounded number of signatures") {
  Strange rig;
  const auto segment = rig.other.append({"a", 1}).own_segments[0];
  Bytes forged = *segment.encoded;
  forged.back() ^= 1;
  rig.be_asked(segment);
  for (int i = 0; i < 1000; ++i)
    rig.peer->send(codec::SegmentsDatagram{{segment.key}, {forged}});
  CHECK(rig.segments("forged") <= 2 * limits::kDatagramsPerExchange);
}

TEST_CASE("another history of a log is not stored, and nobody is blamed for it") {
  Strange rig;
  const auto first = rig.other.append({"a", 1}).own_segments[0];
  rig.be_asked(first);
  rig.peer->send(codec::SegmentsDatagram{{first.key}, {*first.encoded}});
  rig.run_for(seconds(1));
  REQUIRE(rig.store(0).events() == 1);
  // The same device, as if its image had been copied.
  FakeStore copy(9);
  static_cast<void>(copy.append({"a", 1, 20}));
  const auto fork = copy.append({"a", 1}).own_segments[0];
  REQUIRE(fork.log == first.log);
  rig.be_asked(fork);
  rig.peer->send(codec::SegmentsDatagram{{fork.key}, {*fork.encoded}});
  rig.run_for(seconds(1));
  CHECK(rig.segments("fork") == 1);
  CHECK(rig.store(0).events() == 1);
  CHECK(rig.node(0).faults.empty());
  CHECK(rig.node(0).notices.empty());
}

TEST_CASE("no datagram moves a cursor of links, whatever it claims") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2, {0});
  for (int i = 0; i < 10; ++i)
    static_cast<void>(rig.store(1).append({"t" + std::to_string(i), 1}));
  mesh::PeerSeen seen;
  seen.device = rig.store(1).device();
  seen.address = rig.address(1);
  seen.heard = {1};
  rig.node(0).seen = {seen};
  rig.dials = false;
  rig.start(0);
  {
    // Speaks as node 1, which does not run: that it holds no more than node 0, at its arrival 5.
    DatagramPeer liar(rig, rig.address(1), rig.store(1).device());
    liar.connect();
    rig.run_for(seconds(3));
    const auto asked = liar.take<codec::RootDatagram>();
    REQUIRE(asked);
    codec::RootDatagram answer = *asked;
    answer.answer = true;
    answer.epoch = rig.store(1).epoch();
    answer.arrival_head = 5;
    liar.send(answer);
  }
  REQUIRE(rig.engine(0).counters().gossip.at("agreed") == 1);
  CHECK(rig.store(0).cursors().empty());
  rig.dials = true;
  rig.datagrams = false;
  rig.start(1);
  rig.run_for(seconds(10));
  CHECK(rig.store(0).events() == 10);
  REQUIRE(!rig.node(0).rows.empty());
  CHECK(rig.node(0).rows.front().kind != "cursor");
}

}  // namespace ebb::tests
