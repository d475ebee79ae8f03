// Gossip by datagram: differences settled without a link, and what is never sent.
#include <doctest/doctest.h>

#include <variant>

#include "codec/datagram.h"
#include "core/limits.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

// Two nodes that know each other and cannot be dialled.
struct Unlinked : Rig {
  Unlinked() {
    add_node(1);
    add_node(2);
    dials = false;
    for (std::size_t i = 0; i < 2; ++i) {
      mesh::PeerSeen seen;
      seen.device = store(1 - i).device();
      seen.address = address(1 - i);
      seen.heard = {1};
      node(i).seen = {seen};
    }
  }
  void start_both() {
    start(0);
    start(1);
  }
  bool agree() { return engine(0).root() == engine(1).root(); }
};

// What a node answers to datagrams of a stranger's making.
struct Stranger : Rig {
  Stranger() : other(9) {
    add_node(1);
    node(0).config.gossip_interval_lonely = seconds(100000);
    on_datagram = [this](std::size_t, const std::string& to, const Bytes& bytes) {
      if (to == here) answers.push_back(bytes);
      return true;
    };
    start(0);
  }
  void send(codec::DatagramBody body) {
    codec::GossipDatagram datagram;
    datagram.mesh = test_mesh();
    datagram.device = other.device();
    datagram.echo = echo;
    datagram.body = std::move(body);
    const Bytes bytes = codec::encode_datagram(datagram);
    sent_bytes += bytes.size();
    input(0, mesh::Datagram{here, bytes});
  }
  codec::RootDatagram root() {
    codec::RootDatagram root;
    root.root.data[0] = 1;
    root.count = 1;
    root.cookie.data[0] = 1;
    return root;
  }
  template <class T>
  std::optional<T> take() {
    while (!answers.empty()) {
      const Bytes bytes = answers.front();
      answers.erase(answers.begin());
      const auto datagram = codec::decode_datagram(bytes);
      REQUIRE(datagram.ok());
      if (const T* found = std::get_if<T>(&datagram->body)) return *found;
    }
    return std::nullopt;
  }
  // Echoes the cookie from now on.
  void prove() {
    send(root());
    const auto answer = take<codec::RootDatagram>();
    REQUIRE(answer);
    echo = answer->cookie;
    answers.clear();
    run_for(seconds(1));
  }

  std::string here = "stranger:9";
  FakeStore other;
  codec::AddressCookie echo;
  std::vector<Bytes> answers;
  std::size_t sent_bytes = 0;
};

TEST_CASE("a node that seldom wakes delivers and is brought up to date by datagrams alone") {
  Unlinked rig;
  for (int i = 0; i < 5; ++i)
    static_cast<void>(rig.store(1).append({"b", 2}));
  rig.start(1);
  rig.run_for(seconds(100));
  static_cast<void>(rig.store(0).append({"a", 3}));
  rig.start(0);
  rig.run_for(seconds(2));
  CHECK(rig.store(1).events() == 13);
  CHECK(rig.store(0).events() == 13);
  CHECK(rig.agree());
  CHECK(rig.streams_between(0, 1) == 0);
}

TEST_CASE("after a first agreement only what changed is told") {
  Unlinked rig;
  for (int i = 0; i < 40; ++i)
    static_cast<void>(rig.store(0).append({"t" + std::to_string(i % 20), 1}));
  rig.start_both();
  rig.run_for(seconds(20));
  REQUIRE(rig.agree());
  std::size_t listed = 0;
  rig.on_datagram = [&listed](std::size_t, const std::string&, const Bytes& bytes) {
    const auto datagram = codec::decode_datagram(bytes);
    if (!datagram.ok()) return true;
    const auto* heads = std::get_if<codec::HeadsDatagram>(&datagram->body);
    if (heads != nullptr) listed += heads->heads.size();
    return true;
  };
  rig.append(0, {"t3", 1});
  rig.run_for(seconds(5));
  CHECK(rig.agree());
  CHECK(listed >= 1);
  CHECK(listed <= 4);
}

TEST_CASE("a quarter of the datagrams may be lost: it settles all the same") {
  Unlinked rig;
  Rng loss(7);
  rig.on_datagram = [&loss](std::size_t, const std::string&, const Bytes&) {
    return !loss.chance(1, 4);
  };
  for (int i = 0; i < 10; ++i)
    static_cast<void>(rig.store(0).append({"a", 2, 200}));
  rig.start_both();
  rig.run_for(seconds(120));
  CHECK(rig.agree());
  CHECK(rig.store(1).events() == 20);
}

TEST_CASE("a segment that no datagram can carry is fetched over a link") {
  Unlinked rig;
  static_cast<void>(rig.store(0).append({"a", 1, 3000}));
  rig.start_both();
  rig.run_for(seconds(30));
  CHECK(rig.store(1).events() == 0);
  CHECK(!rig.node(1).dial_times.empty());
  rig.dials = true;
  rig.run_for(seconds(60));
  CHECK(rig.store(1).events() == 1);
}

TEST_CASE("an address that has not echoed its cookie gets one root and nothing else") {
  Stranger rig;
  rig.append(0, {"a", 1});
  rig.send(rig.root());
  REQUIRE(rig.answers.size() == 1);
  CHECK(rig.answers[0].size() <= 3 * rig.sent_bytes);
  rig.send(codec::HeadsDatagram{{{rig.store(0).own_log("x"), 5, {}}}});
  rig.send(codec::WantDatagram{{{rig.store(0).own_log("a"), 1}}});
  rig.run_for(seconds(10));
  CHECK(rig.answers.size() == 1);
  CHECK(rig.node(0).reads.empty());
}

TEST_CASE("who echoes the cookie is told and served, up to the bound of an exchange") {
  Stranger rig;
  for (int i = 0; i < 40; ++i)
    rig.append(0, {"a", 1, 600});
  rig.prove();
  rig.send(rig.root());
  rig.send(codec::HeadsDatagram{});
  const auto heads = rig.take<codec::HeadsDatagram>();
  REQUIRE(heads);
  REQUIRE(heads->heads.size() == 1);
  CHECK(heads->heads[0].seq == 40);
  for (int i = 0; i < 5; ++i)
    rig.send(codec::WantDatagram{{{heads->heads[0].log, 1}}});
  rig.run_for(seconds(1));
  CHECK(rig.take<codec::SegmentsDatagram>());
  CHECK(rig.answers.size() < limits::kDatagramsPerExchange);
}

TEST_CASE("nothing of our own is shown to a partner that holds more of it than we do") {
  Stranger rig;
  rig.append(0, {"a", 1});
  rig.prove();
  codec::RootDatagram root = rig.root();
  root.view.data[0] = 1;
  root.view_count = 1;
  root.view_heads = {{rig.store(0).own_log("a"), 7, {}}};
  rig.send(root);
  rig.send(codec::HeadsDatagram{});
  rig.send(codec::WantDatagram{{{rig.store(0).own_log("a"), 1}}});
  rig.run_for(seconds(1));
  while (const auto heads = rig.take<codec::HeadsDatagram>())
    CHECK(heads->heads.empty());
  CHECK(rig.node(0).reads.empty());
}

TEST_CASE("a forged segment in a datagram is dropped and blames nobody") {
  Stranger rig;
  rig.prove();
  trust::VerifiedSegment segment = rig.other.append({"a", 1}).own_segments[0];
  Bytes forged = *segment.encoded;
  forged.back() ^= 1;
  rig.send(codec::SegmentsDatagram{{segment.key}, {forged}});
  rig.run_for(seconds(1));
  CHECK(rig.store(0).events() == 0);
  CHECK(rig.node(0).faults.empty());
  rig.send(codec::SegmentsDatagram{{segment.key}, {*segment.encoded}});
  rig.run_for(seconds(1));
  CHECK(rig.store(0).events() == 1);
}

TEST_CASE("datagrams of thousands of strangers leave a bounded number of partners") {
  Stranger rig;
  for (std::uint32_t i = 0; i < 5000; ++i) {
    codec::GossipDatagram datagram;
    datagram.mesh = test_mesh();
    datagram.device.data[0] = static_cast<std::uint8_t>(i);
    datagram.device.data[1] = static_cast<std::uint8_t>(i >> 8);
    datagram.device.data[2] = 1;
    datagram.body = rig.root();
    rig.input(0, mesh::Datagram{"h" + std::to_string(i) + ":9", codec::encode_datagram(datagram)});
  }
  CHECK(rig.engine(0).gossip_partners() <= limits::kGossipPartners);
}

}  // namespace
}  // namespace ebb::tests
