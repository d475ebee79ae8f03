#include "sim/network.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <variant>
#include <vector>

using ebb::as_bytes;
using ebb::as_text;
using ebb::Bytes;
using ebb::Duration;
using ebb::Instant;
using ebb::milliseconds;
using ebb::Rng;
using ebb::seconds;
using ebb::to_bytes;
using ebb::mesh::LinkId;
using ebb::sim::EventQueue;
using ebb::sim::Fault;
using ebb::sim::FaultCounts;
using ebb::sim::HostIndex;
using ebb::sim::Network;
using ebb::sim::NetworkOptions;

namespace {

NetworkOptions quiet() {
  NetworkOptions options;
  options.chunk_bytes_max = 7;
  return options;
}

// A network of three hosts that are up, and everything they heard.
class Rig {
 public:
  explicit Rig(const NetworkOptions& options, std::uint64_t seed = 1)
      : network(queue, Rng(seed), options, 3, counts,
                [this](HostIndex host, ebb::mesh::Input input) { hear(host, input); }) {
    for (HostIndex host = 0; host < 3; ++host)
      network.host_up(host);
  }

  void run(Duration duration) {
    const Instant limit = queue.now() + duration;
    while (queue.run_next(limit)) {
    }
  }
  void connect(HostIndex from, HostIndex to) {
    network.dial(from, kLink, Network::address(to));
    run(seconds(1));
  }
  void send(HostIndex from, LinkId link, const std::string& text) {
    network.send(from, link, to_bytes(as_bytes(text)), false);
  }
  bool heard(HostIndex host, const std::string& what) const {
    for (const auto& [who, said] : log) {
      if (who == host && said == what) return true;
    }
    return false;
  }

  static constexpr LinkId kLink{1};
  EventQueue queue;
  FaultCounts counts;
  Network network;
  std::vector<std::pair<HostIndex, std::string>> log;
  std::vector<std::string> received = std::vector<std::string>(3);
  LinkId inbound;

 private:
  void hear(HostIndex host, const ebb::mesh::Input& input) {
    if (const auto* up = std::get_if<ebb::mesh::LinkUp>(&input)) {
      if (!up->dialled) inbound = up->link;
      log.emplace_back(host, up->dialled ? "up" : "accepted");
    } else if (const auto* down = std::get_if<ebb::mesh::LinkDown>(&input)) {
      log.emplace_back(host, "down: " + down->reason);
    } else if (const auto* bytes = std::get_if<ebb::mesh::StreamBytes>(&input)) {
      received[host] += as_text(bytes->bytes);
    } else if (const auto* datagram = std::get_if<ebb::mesh::Datagram>(&input)) {
      log.emplace_back(host, "datagram: " + std::string(as_text(datagram->bytes)));
    }
  }
};

std::string long_text() {
  std::string text;
  for (int i = 0; i < 500; ++i)
    text += std::to_string(i) + ",";
  return text;
}

}  // namespace

TEST_CASE("a dial brings both ends up, and a stream keeps order under loss") {
  NetworkOptions options = quiet();
  options.stream_loss_permille = 300;
  Rig rig(options);
  rig.connect(0, 1);
  CHECK(rig.heard(1, "accepted"));
  CHECK(rig.heard(0, "up"));
  rig.send(0, Rig::kLink, long_text());
  rig.send(1, rig.inbound, "answer");
  rig.run(seconds(60));
  CHECK(rig.received[1] == long_text());
  CHECK(rig.received[0] == "answer");
  CHECK(rig.counts.of(Fault::kStreamDelayed) > 0);
}

TEST_CASE("a host that is down refuses, an unknown address fails, a blocked path times out") {
  Rig rig(quiet());
  rig.network.host_down(1, false);
  rig.connect(0, 1);
  CHECK(rig.heard(0, "down: connection refused"));
  rig.network.dial(0, LinkId{2}, "nowhere:1");
  rig.run(seconds(1));
  CHECK(rig.heard(0, "down: no such address"));
  rig.network.cut({{2, 0}});
  rig.network.dial(0, LinkId{3}, Network::address(2));
  rig.run(seconds(20));
  CHECK(rig.heard(0, "down: timed out"));
}

TEST_CASE("a blocked path stalls a stream until it opens") {
  Rig rig(quiet());
  rig.connect(0, 1);
  rig.network.cut({{0, 1}});
  rig.send(0, Rig::kLink, long_text());
  rig.run(seconds(30));
  CHECK(rig.received[1].empty());
  rig.network.open_all();
  rig.run(seconds(30));
  CHECK(rig.received[1] == long_text());
}

TEST_CASE("a close delivers what was sent before it") {
  Rig rig(quiet());
  rig.connect(0, 1);
  rig.send(0, Rig::kLink, long_text());
  rig.network.close(0, Rig::kLink);
  rig.run(seconds(30));
  CHECK(rig.received[1] == long_text());
  CHECK(rig.heard(1, "down: closed by the peer"));
  CHECK(rig.heard(0, "down: closed here"));
}

TEST_CASE("power loss says nothing; the host's next life resets old connections") {
  Rig rig(quiet());
  rig.connect(0, 1);
  rig.network.host_down(1, true);
  rig.send(0, Rig::kLink, "anyone there?");
  rig.run(seconds(30));
  CHECK(rig.log.back().second == "up");
  rig.network.host_up(1);
  rig.send(0, Rig::kLink, "now?");
  rig.run(seconds(1));
  CHECK(rig.heard(0, "down: connection reset"));
  CHECK(rig.received[1].empty());
}

TEST_CASE("a kill closes connections with a word") {
  Rig rig(quiet());
  rig.connect(0, 1);
  rig.network.host_down(1, false);
  rig.run(seconds(1));
  CHECK(rig.heard(0, "down: closed by the peer"));
}

TEST_CASE("a reset ends both ends") {
  NetworkOptions options = quiet();
  options.stream_resets_per_million = 1000000;
  Rig rig(options);
  rig.connect(0, 1);
  rig.send(0, Rig::kLink, "x");
  rig.run(seconds(1));
  CHECK(rig.heard(0, "down: connection reset"));
  CHECK(rig.heard(1, "down: connection reset"));
  CHECK(rig.received[1].empty());
}

TEST_CASE("news for an earlier life of a host reaches nobody") {
  Rig rig(quiet());
  rig.connect(0, 1);
  rig.network.cut({{0, 2}});
  rig.network.dial(0, LinkId{9}, Network::address(2));
  rig.network.host_down(0, true);
  rig.network.host_up(0);
  rig.run(seconds(30));
  CHECK_FALSE(rig.heard(0, "down: timed out"));
}

TEST_CASE("datagrams are lost, doubled and overtaken, and calm ends that") {
  NetworkOptions options = quiet();
  options.datagram_loss_permille = 300;
  options.datagram_duplicate_permille = 300;
  options.datagram_reorder_permille = 300;
  Rig rig(options);
  for (int i = 0; i < 100; ++i) {
    rig.network.send_datagram(0, Network::address(1), to_bytes(as_bytes(std::to_string(i))));
  }
  rig.run(seconds(10));
  CHECK(rig.counts.of(Fault::kDatagramLost) > 0);
  CHECK(rig.counts.of(Fault::kDatagramDuplicated) > 0);
  CHECK(rig.counts.of(Fault::kDatagramReordered) > 0);
  CHECK(rig.log.size() ==
        100 - rig.counts.of(Fault::kDatagramLost) + rig.counts.of(Fault::kDatagramDuplicated));
  rig.network.calm();
  rig.log.clear();
  const std::uint64_t faults = rig.counts.total();
  for (int i = 0; i < 100; ++i) {
    rig.network.send_datagram(0, Network::address(1), to_bytes(as_bytes(std::to_string(i))));
  }
  rig.run(seconds(10));
  CHECK(rig.log.size() == 100);
  CHECK(rig.counts.total() == faults);
}

TEST_CASE("datagrams that were overheard come again from elsewhere or late, and calm ends that") {
  NetworkOptions options = quiet();
  options.datagram_forge_permille = 1000;
  Rig rig(options);
  for (int i = 0; i < 100; ++i)
    rig.network.send_datagram(0, Network::address(1), to_bytes(as_bytes(std::to_string(i))));
  CHECK(rig.counts.of(Fault::kDatagramForged) == 100);
  rig.run(seconds(10));
  const std::size_t soon = rig.log.size();
  CHECK(soon > 150);
  rig.run(seconds(900));
  const std::size_t later = rig.log.size();
  CHECK(later > soon);
  CHECK(later < 200);
  rig.network.calm();
  rig.run(seconds(1800));
  CHECK(rig.log.size() == later);
}

TEST_CASE("of a datagram one byte may be another") {
  NetworkOptions options = quiet();
  options.datagram_flip_permille = 1000;
  Rig rig(options);
  rig.network.send_datagram(0, Network::address(1), to_bytes(as_bytes("a")));
  CHECK(rig.counts.of(Fault::kDatagramFlipped) == 1);
  rig.run(seconds(10));
  REQUIRE(rig.log.size() == 1);
  CHECK(rig.log[0].second != "datagram: a");
}

TEST_CASE("a path opens when the last cut over it is healed") {
  Rig rig(quiet());
  rig.connect(0, 1);
  const auto first = rig.network.cut({{0, 1}});
  const auto second = rig.network.cut({{0, 1}, {1, 0}});
  rig.send(0, Rig::kLink, "through");
  rig.network.heal(first);
  rig.run(seconds(5));
  CHECK(rig.received[1].empty());
  rig.network.heal(second);
  rig.network.heal(second);
  rig.run(seconds(5));
  CHECK(rig.received[1] == "through");
}

TEST_CASE("a half-open connection is up at one end, and nothing passes") {
  Rig rig(quiet());
  rig.connect(0, 1);
  CHECK(rig.network.half_open(1));
  CHECK_FALSE(rig.network.half_open(1));
  rig.run(seconds(1));
  CHECK(rig.heard(1, "down: timed out"));
  rig.send(0, Rig::kLink, "anyone?");
  rig.run(seconds(60));
  CHECK(rig.received[1].empty());
  CHECK(rig.log.back().second == "down: timed out");
  rig.network.close(0, Rig::kLink);
  rig.run(seconds(1));
  CHECK(rig.heard(0, "down: closed here"));
}

TEST_CASE("a black hole lets small packets pass and keeps large ones") {
  NetworkOptions options;
  options.chunk_bytes_max = 4096;
  Rig rig(options);
  rig.connect(0, 1);
  rig.network.set_black_hole({0, 1}, true);
  rig.send(0, Rig::kLink, "small");
  rig.network.send_datagram(0, Network::address(1), Bytes(1200, 1));
  rig.run(seconds(5));
  CHECK(rig.received[1] == "small");
  CHECK(rig.log.back().second == "up");
  rig.send(0, Rig::kLink, std::string(100000, 'x'));
  rig.run(seconds(60));
  CHECK(rig.received[1].size() < 100000);
  rig.network.set_black_hole({0, 1}, false);
  rig.run(seconds(60));
  CHECK(rig.received[1].size() == 100005);
}

TEST_CASE("a slow reader takes no more than its rate, and its peer keeps the rest") {
  NetworkOptions options;
  options.rate = 10000000;
  Rig rig(options);
  rig.connect(0, 1);
  rig.network.set_read_rate(1, 1000);
  rig.send(0, Rig::kLink, std::string(200000, 'x'));
  rig.run(seconds(60));
  CHECK(rig.received[1].size() > 40000);
  CHECK(rig.received[1].size() < 70000);
  CHECK(rig.network.waiting_bytes(0) > 50000);
  rig.network.set_read_rate(1, 0);
  rig.run(seconds(60));
  CHECK(rig.received[1].size() == 200000);
  CHECK(rig.network.waiting_bytes(0) == 0);
}

TEST_CASE("a process that stands still reads nothing, and all of it afterwards") {
  Rig rig(quiet());
  rig.connect(0, 1);
  rig.network.set_reading(1, false);
  rig.send(0, Rig::kLink, long_text());
  rig.run(seconds(30));
  CHECK(rig.received[1].empty());
  rig.network.set_reading(1, true);
  rig.run(seconds(30));
  CHECK(rig.received[1] == long_text());
}

TEST_CASE("a host behind NAT can dial and not be dialled, and gets datagrams as answers only") {
  Rig rig(quiet());
  rig.network.set_behind_nat(1);
  rig.connect(0, 1);
  rig.run(seconds(20));
  CHECK(rig.heard(0, "down: timed out"));
  rig.network.send_datagram(0, Network::address(1), to_bytes(as_bytes("unasked")));
  rig.run(seconds(1));
  CHECK_FALSE(rig.heard(1, "datagram: unasked"));
  rig.network.send_datagram(1, Network::address(0), to_bytes(as_bytes("ask")));
  rig.network.send_datagram(0, Network::address(1), to_bytes(as_bytes("answer")));
  rig.run(seconds(1));
  CHECK(rig.heard(1, "datagram: answer"));
  rig.connect(1, 0);
  CHECK(rig.heard(1, "up"));
}

TEST_CASE("a host without descriptors neither dials nor accepts") {
  Rig rig(quiet());
  rig.network.set_descriptors(1, false);
  rig.connect(1, 0);
  CHECK(rig.heard(1, "down: too many open files"));
  rig.connect(0, 1);
  rig.run(seconds(20));
  CHECK(rig.heard(0, "down: timed out"));
  rig.network.set_descriptors(1, true);
  rig.network.dial(1, LinkId{5}, Network::address(0));
  rig.run(seconds(1));
  CHECK(rig.heard(1, "up"));
}

TEST_CASE("after a change of address only the new one leads to a host, until all is calm") {
  Rig rig(quiet());
  rig.network.change_address(1);
  rig.connect(0, 1);
  CHECK(rig.heard(0, "down: no such address"));
  rig.network.dial(0, LinkId{2}, rig.network.current_address(1));
  rig.run(seconds(1));
  CHECK(rig.heard(0, "up"));
  rig.network.calm();
  rig.network.dial(2, LinkId{3}, Network::address(1));
  rig.run(seconds(1));
  CHECK(rig.heard(2, "up"));
}

TEST_CASE("a narrow path has room for few datagrams and a small part of the rate") {
  NetworkOptions options;
  options.rate = 100000;
  Rig rig(options);
  rig.connect(0, 1);
  rig.network.narrow({0, 1}, 100, 3);
  for (int i = 0; i < 10; ++i)
    rig.network.send_datagram(0, Network::address(1), Bytes(8, 'd'));
  rig.send(0, Rig::kLink, std::string(10000, 'x'));
  rig.run(seconds(5));
  CHECK(rig.received[1].size() < 6000);
  CHECK(std::count_if(rig.log.begin(), rig.log.end(),
                      [](const auto& entry) { return entry.second.starts_with("datagram"); }) == 3);
  rig.network.widen({0, 1});
  rig.run(seconds(30));
  CHECK(rig.received[1].size() == 10000);
}
