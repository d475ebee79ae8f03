#include "sim/network.h"

#include <doctest/doctest.h>

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
    network.send(from, link, to_bytes(as_bytes(text)));
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
  rig.network.block(2, 0);
  rig.network.dial(0, LinkId{3}, Network::address(2));
  rig.run(seconds(20));
  CHECK(rig.heard(0, "down: timed out"));
}

TEST_CASE("a blocked path stalls a stream until it opens") {
  Rig rig(quiet());
  rig.connect(0, 1);
  rig.network.block(0, 1);
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
  rig.network.block(0, 2);
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
