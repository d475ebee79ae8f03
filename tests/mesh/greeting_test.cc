#include <doctest/doctest.h>

#include "core/limits.h"
#include "tests/mesh/raw_peer.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

// Two nodes, the first of which dials the second.
struct Pair : Rig {
  Pair() {
    add_node(1);
    add_node(2);
    node(0).config.peers = {address(1)};
    start(0);
    start(1);
  }
};

bool has_notice(const Rig::Node& node, mesh::NoticeKind kind, std::string_view part) {
  for (const mesh::Notice& notice : node.notices) {
    if (notice.kind == kind && notice.text.find(part) != std::string::npos) return true;
  }
  return false;
}

TEST_CASE("two in-sync nodes reconnect with HELLO and YOUR_LOGS and not a byte more") {
  Pair rig;
  for (int i = 0; i < 40; ++i) {
    rig.append(0, {"topic" + std::to_string(i % 20), 3});
    rig.append(1, {"topic" + std::to_string(i % 20), 2});
  }
  rig.run_for(seconds(2));
  REQUIRE(rig.engine(0).root() == rig.engine(1).root());
  rig.node(0).rows.clear();
  rig.node(1).rows.clear();
  const std::uint64_t before_0 = rig.wire_bytes(0, 1);
  const std::uint64_t before_1 = rig.wire_bytes(1, 0);
  const auto frames = [&](std::size_t i, std::string_view name) {
    return rig.count(i, name).messages_out;
  };
  const std::uint64_t hellos = frames(0, "hello");
  const std::uint64_t summaries = frames(0, "your_logs");

  rig.cut(0, 1);
  rig.run_for(seconds(5));

  REQUIRE(rig.streams_between(0, 1) == 1);
  CHECK(frames(0, "hello") == hellos + 1);
  CHECK(frames(0, "your_logs") == summaries + 1);
  // Preamble 47, HELLO at most 160, YOUR_LOGS 26 with its length; nothing else on either side.
  const std::uint64_t hello_bytes =
      rig.count(0, "hello").bytes_out / rig.count(0, "hello").messages_out;
  CHECK(hello_bytes <= limits::kHelloBytes);
  CHECK(rig.wire_bytes(0, 1) - before_0 <= kPlainPreambleBytes + limits::kHelloBytes + 26);
  CHECK(rig.wire_bytes(1, 0) - before_1 <= kPlainPreambleBytes + limits::kHelloBytes + 26);
  REQUIRE(rig.node(0).rows.size() == 1);
  REQUIRE(rig.node(1).rows.size() == 1);
  const mesh::Reconciliation& row = rig.node(0).rows[0];
  CHECK(row.id == rig.node(1).rows[0].id);
  CHECK(row.kind == "hello");
  CHECK(row.outcome == "in_sync");
  CHECK(rig.node(1).rows[0].outcome == "in_sync");
  CHECK(row.bytes_out == rig.wire_bytes(0, 1) - before_0);
  CHECK(row.held_before == row.known_before);
}

TEST_CASE("a node that was restarted does not repeat what it told before") {
  Pair rig;
  rig.add_node(3, {1});
  rig.start(2);
  rig.append(0);
  rig.run_for(seconds(10));
  rig.stop(0);
  rig.run_for(seconds(1));
  const std::uint64_t told = rig.count(1, "peers").messages_out;
  rig.start(0);
  rig.run_for(seconds(10));
  CHECK(rig.engine(0).links().size() == 2);
  CHECK(rig.count(0, "peers").messages_out == 0);
  CHECK(rig.count(1, "peers").messages_out == told);
}

TEST_CASE("a node that comes back at another address tells it") {
  Pair rig;
  rig.run_for(seconds(5));
  rig.stop(0);
  rig.run_for(seconds(1));
  rig.node(0).config.advertise = "elsewhere:7000";
  rig.start(0);
  rig.run_for(seconds(5));
  CHECK(rig.count(0, "peers").messages_out == 1);
  bool known = false;
  for (const mesh::KnownPeer& peer : rig.engine(1).peers()) {
    known = known || peer.address == "elsewhere:7000";
  }
  CHECK(known);
}

TEST_CASE("a HELLO stays within its bound for the largest numbers") {
  FakeStore store(1);
  RawPeer peer(store, 2);
  codec::Hello hello = peer.hello();
  hello.fold_version = hello.features = hello.epoch = hello.arrival_head = UINT64_MAX >> 8;
  hello.cursor = {UINT64_MAX, UINT64_MAX >> 8};
  hello.changes_since = hello.count = 100000;
  Bytes frame;
  codec::encode_frame(hello, frame);
  CHECK(frame.size() <= limits::kHelloBytes);
}

TEST_CASE("a peer of another mesh is refused with a word on both sides") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.node(1).config.mesh = test_mesh(8);
  rig.start(0);
  rig.start(1);
  rig.append(0);
  rig.run_for(seconds(3));
  CHECK(has_notice(rig.node(0), mesh::NoticeKind::kRefused, "another mesh"));
  CHECK(has_notice(rig.node(1), mesh::NoticeKind::kRefused, "another mesh"));
  CHECK(has_notice(rig.node(0), mesh::NoticeKind::kRefused, to_hex(test_mesh(8).view())));
  CHECK(rig.store(1).events() == 0);
  CHECK(rig.engine(0).links().empty());
  CHECK(rig.engine(0).counters().reconciliations_refused >= 1);
  REQUIRE(rig.engine(1).peers().size() == 1);  // node 1 dialled
  CHECK(rig.engine(1).peers()[0].state == "refused");
  CHECK(rig.engine(1).peers()[0].trouble == "another mesh");
  REQUIRE(!rig.node(0).rows.empty());
  CHECK(rig.node(0).rows[0].outcome == "refused");
}

TEST_CASE("wire versions that do not overlap are refused, others pass") {
  FakeStore store(1);
  RawPeer peer(store, 2);
  peer.connect();
  codec::Hello hello = peer.hello();
  hello.wire_min = 2;
  hello.wire_max = 5;
  peer.send(hello);
  const auto bye = peer.take<codec::Bye>();
  REQUIRE(bye);
  CHECK(bye->code == codec::ByeCode::kNoCommonVersion);
  CHECK(bye->text.find("2 to 5") != std::string::npos);
  CHECK(peer.closed());

  peer.connect();
  hello.wire_min = 0;
  peer.send(hello);
  CHECK(peer.take<codec::YourLogsSummary>());
  CHECK(!peer.closed());
}

TEST_CASE("another fold version is no obstacle") {
  Rig rig;
  rig.add_node(1);
  rig.add_node(2, {0});
  rig.node(1).config.fold_version = 99;
  rig.start(0);
  rig.start(1);
  rig.append(0);
  rig.run_for(seconds(3));
  CHECK(rig.store(1).events() == 1);
}

TEST_CASE("a node that dials itself says so, and tries again much later") {
  Rig rig;
  rig.add_node(1, {0});
  rig.node(0).config.advertise.clear();
  rig.start(0);
  rig.run_for(seconds(30));
  CHECK(rig.node(0).dial_times.size() == 1);
  CHECK(rig.engine(0).links().empty());
  const std::vector<mesh::KnownPeer> peers = rig.engine(0).peers();
  REQUIRE(peers.size() == 1);
  CHECK(peers[0].state == "self");
  CHECK(peers[0].trouble == "leads back to this node");
  CHECK(!peers[0].device);
  rig.run_for(seconds(565));
  CHECK(rig.node(0).dial_times.size() == 1);
  rig.run_for(seconds(400));
  CHECK(rig.node(0).dial_times.size() == 2);
  CHECK(rig.engine(0).peers()[0].state == "self");
}

TEST_CASE("a node that listens where it dials, and under another address too, is no copy") {
  Rig rig;
  rig.add_node(1, {0, 1});
  rig.add_node(2);
  rig.node(0).config.advertise.clear();
  rig.start(0);
  rig.start(1);
  rig.run_for(seconds(1000));
  const std::vector<mesh::KnownPeer> peers = rig.engine(0).peers();
  REQUIRE(peers.size() == 2);
  CHECK(std::count_if(peers.begin(), peers.end(),
                      [](const mesh::KnownPeer& peer) { return peer.state == "linked"; }) == 1);
  CHECK(std::count_if(peers.begin(), peers.end(),
                      [](const mesh::KnownPeer& peer) { return peer.state == "self"; }) == 1);
  CHECK(rig.node(0).dial_times.size() <= 3);
}

TEST_CASE("a configured peer with our own key is said to be a copy, and tried again much later") {
  Rig rig;
  rig.add_node(1, {1});
  rig.add_node(1);
  rig.start(0);
  rig.start(1);
  rig.run_for(seconds(5));
  const std::vector<mesh::KnownPeer> peers = rig.engine(0).peers();
  REQUIRE(peers.size() == 1);
  CHECK(peers[0].state == "refused");
  CHECK(peers[0].trouble == "the same device key answers there (a copied directory?)");
  for (std::size_t i = 0; i < 2; ++i) {
    REQUIRE(rig.node(i).notices.size() == 1);
    CHECK(rig.node(i).notices[0].kind == mesh::NoticeKind::kRefused);
  }
  CHECK(rig.engine(0).links().empty());
  rig.run_for(seconds(590));
  CHECK(rig.node(0).dial_times.size() == 1);
  rig.run_for(seconds(600));
  CHECK(rig.node(0).dial_times.size() > 1);
}

TEST_CASE("of two links dialled at once both ends keep the one of the smaller key") {
  Rig rig;
  rig.add_node(1, {1});
  rig.add_node(2, {0});
  rig.start(0);
  rig.start(1);
  rig.run_for(seconds(5));
  REQUIRE(rig.engine(0).links().size() == 1);
  REQUIRE(rig.engine(1).links().size() == 1);
  CHECK(rig.streams_between(0, 1) == 1);
  const bool zero_is_smaller = rig.store(0).device() < rig.store(1).device();
  CHECK(rig.engine(0).links()[0].dialled == zero_is_smaller);
  CHECK(rig.engine(1).links()[0].dialled == !zero_is_smaller);
  // The loser is not dialled again while the other lives.
  rig.run_for(seconds(60));
  CHECK(rig.node(0).dial_times.size() + rig.node(1).dial_times.size() == 2);
}

TEST_CASE("a second link of the same dialler replaces the first") {
  FakeStore store(1);
  RawPeer peer(store, 2);
  peer.greet();
  REQUIRE(peer.engine().links().size() == 1);
  const mesh::LinkId first = peer.engine().links()[0].link;
  peer.greet();
  REQUIRE(peer.engine().links().size() == 1);
  CHECK(peer.engine().links()[0].link != first);
  CHECK(!peer.closed());
}

TEST_CASE("who does not finish the greeting in time is dropped") {
  FakeStore store(1);
  RawPeer peer(store, 2);
  const Instant start = peer.now;
  peer.connect();
  peer.send(peer.hello());
  peer.run_until(start + milliseconds(9990));
  CHECK(!peer.closed());
  peer.run_until(start + milliseconds(10010));
  CHECK(peer.closed());
}

TEST_CASE("beyond the last slot a peer is told that there are too many links") {
  FakeStore store(1);
  std::vector<mesh::LinkId> up;
  mesh::Config config;
  config.self = store.device();
  config.mesh = test_mesh();
  config.incarnation = 1;
  const PlainChannels channels(store.device());
  config.channels = &channels;
  mesh::Engine engine(config, Rng(3));
  std::size_t refused = 0;
  for (std::size_t i = 0; i <= limits::kLinks; ++i) {
    const FakeStore other(static_cast<std::uint8_t>(100 + i));
    const mesh::LinkId link{mesh::kInboundBit | (i + 1)};
    mesh::Effects effects;
    engine.handle(Instant{0}, WallTime{}, mesh::LinkUp{link, false, "x" + std::to_string(i) + ":1"},
                  effects);
    Bytes bytes = plain_preamble(other.device());
    codec::Hello hello;
    hello.mesh = config.mesh;
    hello.reconciliation.data[0] = 1;
    codec::encode_frame(hello, bytes);
    engine.handle(Instant{0}, WallTime{}, mesh::StreamBytes{link, bytes}, effects);
    refused += effects.closes.size();
  }
  CHECK(refused == 1);
  CHECK(engine.links().size() == limits::kLinks);
}

TEST_CASE("shutdown says goodbye and answers nothing more") {
  Pair rig;
  rig.run_for(seconds(2));
  rig.input(1, mesh::Shutdown{});
  CHECK(rig.engine(1).next_deadline() == std::nullopt);
  rig.run_for(milliseconds(10));
  CHECK(rig.engine(0).links().empty());
  CHECK(has_notice(rig.node(0), mesh::NoticeKind::kLinkClosed, "shutting down"));
  mesh::Effects effects;
  rig.engine(1).handle(rig.now(), WallTime{}, mesh::AddPeer{"a:1"}, effects);
  CHECK(effects.empty());
}

TEST_CASE("a capped log of the peer counts in the summary and is not shown, for nothing signs it") {
  FakeStore store(1);
  FakeStore theirs(2);
  static_cast<void>(theirs.append({"a", 3}));
  static_cast<void>(theirs.append({"b", 2}));
  for (mesh::StoredHead head : theirs.heads()) {
    head.capped = head.key.topic == "b";
    if (head.capped) head.signature = {};
    store.add_head(head);
  }
  RawPeer peer(store, 2);
  peer.connect();
  peer.send(peer.hello());
  const auto summary = peer.take<codec::YourLogsSummary>();
  REQUIRE(summary);
  CHECK(summary->count == 2);
  peer.send(codec::YourLogsSummary{});
  peer.send(codec::YourLogsAsk{});
  const auto shown = peer.take<codec::YourLogsHeads>();
  REQUIRE(shown);
  REQUIRE(shown->heads.size() == 1);
  CHECK(shown->heads[0].key.topic == "a");
  CHECK_FALSE(shown->more);
}

}  // namespace
}  // namespace ebb::tests
