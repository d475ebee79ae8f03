// What one partner of datagrams can take from the others, and what is taken of him.
#include <doctest/doctest.h>

#include <string>

#include "core/limits.h"
#include "tests/mesh/strange.h"

namespace ebb::tests {

TEST_CASE("one host fills no more than its share of the partners, whatever its ports") {
  Strange rig;
  rig.dials = false;
  std::string host;
  SUBCASE("a name") { host = "h"; }
  SUBCASE("an IPv6 network") { host = "[2001:db8:1:2"; }
  for (std::uint32_t i = 0; i < 100; ++i) {
    const std::string number = std::to_string(i);
    DatagramPeer each(rig, host == "h" ? "h:1" + number : host + "::" + number + "]:9",
                      rig.other.device());
    each.prove();
    each.send(each.root());
    rig.run_for(milliseconds(100));
  }
  CHECK(rig.engine(0).gossip_partners() == limits::kPartnersPerHost);
  // There is room for others.
  DatagramPeer another(rig, "another:9", rig.other.device());
  another.prove();
  another.send(another.root());
  CHECK(another.take<codec::RootDatagram>());
  CHECK(rig.engine(0).gossip_partners() == limits::kPartnersPerHost + 1);
}

TEST_CASE("a flood of questions without a cookie takes no answers from who has echoed his") {
  Strange rig;
  rig.peer->prove();
  rig.run_for(seconds(2));
  for (std::uint32_t i = 0; i < 10000; ++i)
    rig.peer->send_from("h" + std::to_string(i) + ":9", [&] {
      codec::GossipDatagram question;
      question.mesh = test_mesh();
      question.device = rig.other.device();
      question.body = rig.peer->root();
      return codec::encode_datagram(question);
    }());
  CHECK(rig.dropped("too_many") == 10000 - limits::kDatagramCookiesPerSecond);
  rig.peer->send(rig.peer->root());
  CHECK(rig.peer->take<codec::RootDatagram>());
}

TEST_CASE("segments of a log that was not asked for are refused, and counted") {
  Strange rig;
  const auto asked = rig.other.append({"a", 1}).own_segments[0];
  const auto unasked = rig.other.append({"b", 1}).own_segments[0];
  rig.be_asked(asked);
  rig.peer->send(codec::SegmentsDatagram{{asked.key, unasked.key},
                                         {ByteView(*asked.encoded), ByteView(*unasked.encoded)}});
  rig.run_for(seconds(1));
  CHECK(rig.segments("taken") == 1);
  CHECK(rig.segments("unasked") == 1);
  CHECK(rig.store(0).events() == 1);
  CHECK(rig.engine(0).log_count() == 1);
}

TEST_CASE("no datagram gives a configured address another device, nor a name to one without") {
  Rig rig;
  rig.add_node(1, {1});
  rig.add_node(2);
  bool linked = false;
  SUBCASE("one that had a link") { linked = true; }
  SUBCASE("one that was never reached") {}
  if (linked) rig.start(1);
  rig.start(0);
  rig.run_for(seconds(2));
  if (linked) rig.stop(1);
  rig.dials = false;
  rig.run_for(seconds(2));
  const FakeStore other(9);
  DatagramPeer liar(rig, "node1:9", other.device());
  liar.prove();
  liar.send(liar.root());  // says that it listens where node 1 does
  REQUIRE(rig.engine(0).gossip_partners() > 0);
  REQUIRE(rig.engine(0).peers().size() == 1);
  const mesh::KnownPeer peer = rig.engine(0).peers()[0];
  CHECK(peer.configured);
  CHECK(peer.device.has_value() == linked);
  if (linked) CHECK(*peer.device == rig.store(1).device());
}

TEST_CASE("questions that were overheard cost no more than a cookie when they are repeated") {
  Strange rig;
  for (int i = 0; i < 40; ++i)
    rig.append(0, {"a", 1, 600});
  rig.peer->prove();
  const Bytes question = rig.peer->encoded(rig.peer->root());
  const Bytes heads = rig.peer->encoded(codec::HeadsDatagram{});
  const Bytes want = rig.peer->encoded(codec::WantDatagram{{{rig.store(0).own_log("a"), 1}}});
  const auto say_all = [&] {
    rig.peer->came.clear();
    std::size_t bytes = 0;
    for (const Bytes& each : {question, heads, want}) {
      rig.peer->send_raw(each);
      bytes += each.size();
    }
    rig.run_for(milliseconds(300));
    return bytes;
  };
  say_all();
  REQUIRE(rig.peer->came.size() == limits::kDatagramsPerExchange + 1);
  for (int i = 0; i < 100; ++i) {
    const std::size_t said = say_all();
    std::size_t came = 0;
    for (const Bytes& each : rig.peer->came)
      came += each.size();
    CHECK(came < said);
  }
  CHECK(rig.dropped("replayed") == 100);
  // Who has started anew counts from the start, and is heard with the cookie that he is given.
  rig.peer->counter = 0;
  rig.peer->send(rig.peer->root());
  const auto cookie = rig.peer->take<codec::CookieDatagram>();
  REQUIRE(cookie);
  rig.peer->echo = cookie->cookie;
  rig.run_for(milliseconds(300));
  rig.peer->send(rig.peer->root());
  CHECK(rig.peer->take<codec::RootDatagram>());
}

}  // namespace ebb::tests
