// What one partner of datagrams can take from the others, and what is taken of him.
#include <doctest/doctest.h>

#include <string>

#include "core/limits.h"
#include "core/rng.h"
#include "tests/mesh/strange.h"

namespace ebb::tests {

TEST_CASE("a flood of strangers' datagrams takes nothing from who has keys") {
  Strange rig;
  const std::uint64_t out = rig.engine(0).counters().datagrams_out;
  Rng rng(3);
  for (std::uint32_t i = 0; i < 10000; ++i) {
    Bytes bytes(100);
    for (std::uint8_t& byte : bytes)
      byte = static_cast<std::uint8_t>(rng.next());
    if (i % 2 == 0) bytes[1] = 1, bytes[2] = bytes[3] = 0;
    rig.peer->send_from("h" + std::to_string(i) + ":9", bytes);
  }
  CHECK(rig.dropped("unknown_index") == 5000);
  CHECK(rig.dropped("malformed") == 5000);
  CHECK(rig.engine(0).counters().datagrams_out == out);
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
  liar.connect();
  liar.send(liar.root());  // says that it listens where node 1 does
  REQUIRE(rig.engine(0).gossip_partners() > 0);
  REQUIRE(rig.engine(0).peers().size() == 1);
  const mesh::KnownPeer peer = rig.engine(0).peers()[0];
  CHECK(peer.configured);
  CHECK(peer.device.has_value() == linked);
  if (linked) CHECK(*peer.device == rig.store(1).device());
}

TEST_CASE("what was overheard and is repeated brings nothing") {
  Strange rig;
  for (int i = 0; i < 40; ++i)
    rig.append(0, {"a", 1, 600});
  const Bytes question = rig.peer->sealed(rig.peer->root());
  const Bytes heads = rig.peer->sealed(codec::HeadsDatagram{});
  const Bytes want = rig.peer->sealed(codec::WantDatagram{{{rig.store(0).own_log("a"), 1}}});
  const auto say_all = [&] {
    rig.peer->came.clear();
    for (const Bytes& each : {question, heads, want})
      rig.peer->send_raw(each);
    rig.run_for(milliseconds(300));
  };
  say_all();
  REQUIRE(rig.peer->came.size() == limits::kDatagramsPerExchange + 1);
  for (int i = 0; i < 100; ++i) {
    say_all();
    CHECK(rig.peer->came.empty());
  }
  CHECK(rig.dropped("replayed") == 300);
  // Who has started anew has other keys, and is heard.
  rig.peer->connect();
  rig.peer->send(rig.peer->root());
  CHECK(rig.peer->take<codec::RootDatagram>());
}

}  // namespace ebb::tests
