// What datagrams of strangers, liars and thieves of addresses can and cannot bring about.
#include <doctest/doctest.h>

#include <variant>
#include <vector>

#include "codec/datagram.h"
#include "codec/segment.h"
#include "core/limits.h"
#include "mesh/sync_answer.h"
#include "tests/mesh/strange.h"

namespace ebb::tests {
namespace {

std::vector<codec::DatagramBody> kinds_but_questions(const Strange& rig) {
  codec::RootDatagram answer = rig.peer->root();
  answer.answer = true;
  const LogId log = LogId{};
  return {answer, codec::HeadsDatagram{{{log, 5, {}}}}, codec::WantDatagram{{{log, 1}}},
          codec::SegmentsDatagram{}, codec::CookieDatagram{}};
}

}  // namespace

TEST_CASE("an address that has not echoed its cookie gets that and nothing else") {
  Strange rig;
  rig.append(0, {"a", 1});
  rig.peer->send(rig.peer->root());
  REQUIRE(rig.peer->came.size() == 1);
  CHECK(rig.peer->came[0].size() < rig.peer->sent_bytes);
  CHECK(rig.peer->take<codec::CookieDatagram>());
  for (const codec::DatagramBody& body : kinds_but_questions(rig))
    rig.peer->send(body);
  rig.run_for(seconds(10));
  CHECK(rig.peer->came.empty());
  CHECK(rig.node(0).reads.empty());
  // It leaves nothing behind.
  CHECK(rig.engine(0).gossip_partners() == 0);
  CHECK(rig.engine(0).peers().empty());
  CHECK(rig.dropped("unproven") == 5);
}

TEST_CASE("the smallest question to be had is larger than its answer") {
  Strange rig;
  rig.peer->send(codec::RootDatagram{});
  REQUIRE(rig.peer->came.size() == 1);
  CHECK(rig.peer->came[0].size() < rig.peer->sent_bytes);
}

TEST_CASE("a cookie is worth nothing from another address, nor when it is old") {
  Strange rig;
  rig.peer->prove();
  const Bytes stolen = rig.peer->encoded(rig.peer->root());
  SUBCASE("another port") { rig.peer->send_from("stranger:10", stolen); }
  SUBCASE("another host") { rig.peer->send_from("victim:9", stolen); }
  SUBCASE("twenty minutes later") {
    rig.run_for(seconds(1200));
    rig.peer->send_raw(stolen);
    CHECK(rig.peer->take<codec::CookieDatagram>());
  }
  CHECK(rig.engine(0).gossip_partners() == 0);
  CHECK(!rig.peer->take<codec::RootDatagram>());
  rig.peer->send_raw(stolen);
  CHECK(rig.engine(0).gossip_partners() == (rig.now().us < 1200000000 ? 1 : 0));
}

TEST_CASE("datagrams cut off at every byte, or with any byte changed, are dropped or harmless") {
  Strange rig;
  rig.append(0, {"a", 1});
  rig.peer->prove();
  std::vector<codec::DatagramBody> bodies = kinds_but_questions(rig);
  bodies.emplace_back(rig.peer->root());
  const auto own = rig.other.append({"a", 1}).own_segments[0];
  bodies.emplace_back(codec::SegmentsDatagram{{own.key}, {*own.encoded}});
  std::uint64_t cut = 0;
  for (const codec::DatagramBody& body : bodies) {
    const Bytes good = rig.peer->encoded(body);
    for (std::size_t size = 0; size < good.size(); ++size, ++cut)
      rig.peer->send_raw(Bytes(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(size)));
  }
  CHECK(rig.dropped("malformed") + rig.dropped("unsupported") == cut);
  CHECK(rig.peer->came.empty());
  for (const codec::DatagramBody& body : bodies) {
    const Bytes good = rig.peer->encoded(body);
    for (std::size_t at = 0; at < good.size(); ++at) {
      // The largest lengths of arrays, strings and numbers among them.
      for (const int byte : {0x9f, 0xdd, 0xdf, 0xc6, 0xdb, 0xcf, 0xff}) {
        Bytes bent = good;
        bent[at] = static_cast<std::uint8_t>(byte);
        rig.peer->send_raw(bent);
      }
    }
  }
  rig.run_for(seconds(1));
  CHECK(rig.node(0).faults.empty());
  CHECK(rig.engine(0).gossip_partners() <= limits::kGossipPartners);
  CHECK(rig.engine(0).log_count() == 1);
}

TEST_CASE("datagrams that are of another mesh, our own or of a linked node go no further") {
  Strange rig;
  rig.add_node(2, {0});
  codec::GossipDatagram datagram;
  datagram.mesh = test_mesh(9);
  datagram.device = rig.other.device();
  datagram.body = rig.peer->root();
  rig.peer->send_raw(codec::encode_datagram(datagram));
  CHECK(rig.dropped("other_mesh") == 1);
  datagram.mesh = test_mesh();
  datagram.device = rig.store(0).device();
  rig.peer->send_raw(codec::encode_datagram(datagram));
  CHECK(rig.dropped("own") == 1);
  rig.start(1);
  rig.run_for(seconds(2));
  REQUIRE(rig.engine(0).links().size() == 1);
  datagram.device = rig.store(1).device();
  rig.peer->send_raw(codec::encode_datagram(datagram));
  CHECK(rig.dropped("linked") >= 1);
  CHECK(rig.peer->came.empty());
}

TEST_CASE("answers are bounded: to all strangers together, and to each partner") {
  Strange rig;
  std::size_t answered = 0;
  std::size_t answered_bytes = 0;
  rig.on_datagram = [&](std::size_t, const std::string&, const Bytes& bytes) {
    ++answered;
    answered_bytes += bytes.size();
    return true;
  };
  std::size_t asked_bytes = 0;
  for (std::uint32_t i = 0; i < 100000; ++i) {
    rig.peer->send_from("h" + std::to_string(i) + ":9", rig.peer->encoded(rig.peer->root()));
    asked_bytes += rig.peer->sent_bytes;
  }
  CHECK(answered == limits::kDatagramCookiesPerSecond);
  CHECK(answered_bytes < asked_bytes);
  CHECK(rig.dropped("too_many") == 100000 - answered);
  CHECK(rig.engine(0).gossip_partners() == 0);

  rig.peer = nullptr;
  rig.run_for(seconds(2));
  DatagramPeer partner(rig, "stranger:9", rig.other.device());
  partner.prove();
  for (int i = 0; i < 1000; ++i) {
    partner.send(partner.root());
    rig.run_for(milliseconds(1));
  }
  CHECK(partner.came.size() == 5);
  CHECK(rig.dropped("too_often") == 995);
}

TEST_CASE("thousands of strangers that do echo leave a bounded number of partners") {
  Strange rig;
  rig.peer = nullptr;
  rig.dials = false;
  for (std::uint32_t i = 0; i < 2000; ++i) {
    DatagramPeer each(rig, "h" + std::to_string(i) + ":9", rig.other.device());
    each.prove();
    each.send(each.root());
    rig.run_for(milliseconds(10));
  }
  // The places of those chosen here stay free.
  CHECK(rig.engine(0).gossip_partners() == limits::kGossipPartners - limits::kGossipChosen);
  // Those that are being dialled are not of the passive view.
  CHECK(rig.engine(0).peers().size() <= limits::kPassiveView + limits::kOverlayAim);
}

TEST_CASE("who echoes the cookie is told and served, up to the bounds of an exchange") {
  Strange rig;
  for (int i = 0; i < 40; ++i)
    rig.append(0, {"a", 1, 600});
  rig.peer->prove();
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
  rig.peer->prove();
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
  rig.peer->prove();
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
  rig.peer->prove();
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
  rig.peer->prove();
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
    liar.prove();
    rig.run_for(seconds(3));
    const auto asked = liar.take<codec::RootDatagram>();
    REQUIRE(asked);
    codec::RootDatagram answer = *asked;
    answer.answer = true;
    answer.epoch = rig.store(1).epoch();
    answer.arrival_head = 5;
    liar.echo = asked->cookie;
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
