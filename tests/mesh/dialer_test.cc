#include "mesh/dialer.h"

#include <doctest/doctest.h>

#include "core/limits.h"
#include "tests/mesh/datagram_peer.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

TEST_CASE("an address that is none is not dialled, by the rule that holds everywhere") {
  Rig rig;
  rig.add_node(1);
  rig.start(0);
  for (const char* bad : {"::1:7401", "[node]:1", "a:0", "a b:1", "a,b:1"})
    rig.input(0, mesh::AddPeer{bad});
  CHECK(rig.engine(0).peers().empty());
  rig.input(0, mesh::AddPeer{"[::1]:7401"});
  CHECK(rig.engine(0).peers().size() == 1);
}

TEST_CASE("back-off has full jitter between nothing and a bound that doubles up to its maximum") {
  Rig rig;
  rig.add_node(1, {1});
  rig.add_node(2);  // never started: nobody listens
  rig.start(0);
  rig.run_for(seconds(4 * 3600));
  const std::vector<Instant>& dials = rig.node(0).dial_times;
  REQUIRE(dials.size() > 30);
  CHECK(dials.size() < 200);
  std::int64_t bound = 1000000;
  std::int64_t longest = 0;
  for (std::size_t i = 1; i < dials.size(); ++i) {
    const std::int64_t pause = (dials[i] - dials[i - 1]).us;
    bound = std::min<std::int64_t>(bound * 2, 300 * 1000000LL);
    CHECK(pause <= bound + 10000);
    longest = std::max(longest, pause);
  }
  CHECK(longest > 200 * 1000000LL);
  CHECK(rig.engine(0).counters().dial_failures == dials.size());
}

TEST_CASE("a peer that refuses is not tried more than once in 30 s, whatever gossip says") {
  Rig rig;
  rig.add_node(1, {1});
  rig.add_node(2);
  rig.node(1).config.mesh = test_mesh(8);
  rig.start(0);
  rig.start(1);
  // As if the same address had news of our mesh again and again.
  DatagramPeer news(rig, rig.address(1), rig.store(1).device());
  news.connect();
  for (int i = 0; i < 3600; ++i) {
    codec::RootDatagram root = news.root();
    news.send(root);
    // It answers, too, and never agrees.
    while (const auto asked = news.take<codec::RootDatagram>()) {
      root.answer = true;
      root.question = asked->question;
      if (!asked->answer) news.send(root);
    }
    rig.run_for(seconds(1));
  }
  CHECK(rig.engine(0).counters().gossip.at("different") > 10);
  const std::vector<Instant>& dials = rig.node(0).dial_times;
  REQUIRE(dials.size() > 10);
  for (std::size_t i = 1; i < dials.size(); ++i)
    CHECK(dials[i] - dials[i - 1] >= seconds(30));
}

TEST_CASE("a peer that comes back is dialled again, and a good link resets the back-off") {
  Rig rig;
  rig.add_node(1, {1});
  rig.add_node(2);
  rig.node(0).config.dial_backoff_max = seconds(20);
  rig.start(0);
  rig.run_for(seconds(120));
  rig.start(1);
  rig.run_for(seconds(25));
  REQUIRE(rig.engine(0).links().size() == 1);
  const Instant before = rig.now();
  rig.cut(0, 1);
  rig.run_for(seconds(2));
  REQUIRE(rig.engine(0).links().size() == 1);
  CHECK(rig.node(0).dial_times.back() - before <= milliseconds(1100));
}

TEST_CASE("a node that is told of by a neighbour is dialled: a line becomes a full mesh") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.add_node(3, {1});
  for (std::size_t i = 0; i < 3; ++i)
    rig.start(i);
  rig.run_for(seconds(10));
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(rig.engine(i).links().size() == 2);
  CHECK(rig.streams_between(0, 2) == 1);
  std::size_t linked = 0;
  for (const mesh::KnownPeer& peer : rig.engine(0).peers())
    linked += peer.state == "linked" ? 1U : 0U;
  CHECK(linked == 2);
}

TEST_CASE("gossip between nodes that have no link makes them dial when their roots differ") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2);
  mesh::PeerSeen seen;
  seen.device = rig.store(1).device();
  seen.address = rig.address(1);
  rig.node(0).seen = {seen};
  // So that nobody dials it.
  rig.node(0).config.advertise.clear();
  rig.node(0).config.listen_port = 0;
  rig.start(0);
  rig.start(1);
  rig.run_for(seconds(10));
  REQUIRE(rig.streams_between(0, 1) == 1);
  // Then nobody answers there for so long that node 0 hardly tries any more. It does not forget the
  // only address it has.
  rig.node(1).listening = false;
  rig.cut(0, 1);
  rig.run_for(seconds(400));
  CHECK(rig.streams_between(0, 1) == 0);
  rig.node(1).listening = true;
  // No datagram can carry it.
  rig.append(0, {"a", 1, 3000});
  rig.run_for(seconds(10));
  CHECK(rig.engine(0).counters().datagrams_out > 0);
  CHECK(rig.store(1).events() == 1);
}

TEST_CASE("a device that dialled us is away since its link ended, also after a restart") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.start(0);
  rig.start(1);
  rig.run_for(seconds(20));
  const auto peer = [&rig] {
    const auto peers = rig.engine(0).peers();
    REQUIRE(peers.size() == 1);
    return peers.front();
  };
  CHECK(peer().state == "linked");
  const Instant end = rig.now();
  rig.stop(1);
  rig.run_for(seconds(30));
  const auto is_away = [&] {
    const mesh::KnownPeer known = peer();
    CHECK(known.state == "away");
    REQUIRE(known.last_heard);
    CHECK(*known.last_heard >= end - seconds(1));
    CHECK(*known.last_heard <= end + seconds(2));
  };
  is_away();
  rig.stop(0);
  rig.start(0);
  rig.run_for(seconds(60));
  is_away();
}

TEST_CASE("the store's word of when a peer was heard moves while its link stands") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.start(0);
  rig.start(1);
  rig.run_for(seconds(3 * 3600));
  REQUIRE(!rig.node(0).seen.empty());
  const WallTime last = rig.node(0).seen.back().heard;
  CHECK(rig.wall().ms - last.ms < seconds(2 * 3600).ms());
}

TEST_CASE("the list of learnt addresses is bounded") {
  Rig rig;
  rig.add_node(1);
  rig.node(0).config.dial_backoff_min = seconds(100000);  // none is dialled meanwhile
  rig.node(0).config.dial_backoff_max = seconds(100000);
  rig.node(0).config.gossip_interval_lonely = seconds(100000);
  rig.start(0);
  for (std::uint32_t i = 0; i < 500; ++i) {
    DeviceId device;
    device.data[0] = static_cast<std::uint8_t>(i);
    device.data[1] = static_cast<std::uint8_t>(i >> 8);
    device.data[2] = 1;
    DatagramPeer peer(rig, "h:" + std::to_string(1000 + i), device);
    peer.connect();
    codec::RootDatagram root = peer.root();
    root.listen_port = static_cast<std::uint16_t>(1000 + i);
    peer.send(root);
    rig.run_for(milliseconds(100));
  }
  CHECK(rig.engine(0).peers().size() == limits::kPassiveView);
}

TEST_CASE("a configured peer is taken in while running, once") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2);
  rig.start(0);
  rig.start(1);
  rig.run_for(seconds(1));
  rig.input(0, mesh::AddPeer{rig.address(1)});
  rig.input(0, mesh::AddPeer{rig.address(1)});
  rig.input(0, mesh::AddPeer{"no port"});
  rig.run_for(seconds(1));
  CHECK(rig.engine(0).links().size() == 1);
  CHECK(rig.node(0).dial_times.size() == 1);
  REQUIRE(rig.engine(0).peers().size() == 1);
  CHECK(rig.engine(0).peers()[0].configured);
}

}  // namespace
}  // namespace ebb::tests
