// Where nodes are, by their own word: on real sockets and stores.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "node/home.h"
#include "tests/node/node_thread.h"
#include "tests/temp_dir.h"

namespace {

using ebb::node::load_home;
using ebb::node::Node;
using ebb::tests::listen_of;
using ebb::tests::make_config;
using ebb::tests::make_home;
using ebb::tests::NodeThread;
using ebb::tests::TempDir;

constexpr const char* kAnyPort = "127.0.0.1:0";

bool hears(NodeThread& node, const std::string& address) {
  return node.wait_until([address](Node& n) {
    const auto peers = n.peers();
    return std::any_of(peers.begin(), peers.end(), [&address](const auto& peer) {
      return peer.announced == std::vector<std::string>{address};
    });
  });
}

bool has_link(NodeThread& node) {
  return node.wait_until([](Node& n) { return n.status().links_in_sync > 0; });
}

// At the same address at each start.
ebb::node::Config config_at(const std::string& listen, std::vector<std::string> peers) {
  ebb::node::Config config = make_config(std::move(peers));
  config.listen = listen;
  config.presence_stands = {};
  return config;
}

}  // namespace

TEST_CASE("linked nodes say where they are, once: a restart at the same place says nothing") {
  const TempDir dir;
  NodeThread a(make_home(dir / "a"), config_at(kAnyPort, {}));
  REQUIRE(a.started().ok());
  std::string listen;
  {
    NodeThread b(make_home(dir / "b", dir / "a"), config_at(kAnyPort, {listen_of(a)}));
    REQUIRE(b.started().ok());
    listen = listen_of(b);
    REQUIRE(hears(a, listen));
    REQUIRE(hears(b, listen_of(a)));
    CHECK(b.on_loop([](Node& n) { return n.mesh_counters().presences_written; }) == 1);
  }
  NodeThread b(load_home(dir / "b").value(), config_at(listen, {listen_of(a)}));
  REQUIRE(b.started().ok());
  // It is in the log.
  CHECK(b.on_loop([](Node& n) { return n.status().presences; }) == 1);
  REQUIRE(has_link(b));
  CHECK(hears(b, listen_of(a)));
  CHECK(b.on_loop([](Node& n) { return n.mesh_counters().presences_written; }) == 0);
}

TEST_CASE("nodes that met one seed in turn find each other when it is gone") {
  const TempDir dir;
  auto seed = std::make_unique<NodeThread>(make_home(dir / "seed"), config_at(kAnyPort, {}));
  REQUIRE(seed->started().ok());
  const std::string seed_at = listen_of(*seed);
  std::string first_at;
  {
    NodeThread node(make_home(dir / "first", dir / "seed"), config_at(kAnyPort, {seed_at}));
    REQUIRE(node.started().ok());
    first_at = listen_of(node);
    REQUIRE(hears(*seed, first_at));
  }
  NodeThread second(make_home(dir / "second", dir / "seed"), config_at(kAnyPort, {seed_at}));
  REQUIRE(second.started().ok());
  REQUIRE(hears(second, first_at));
  seed.reset();
  NodeThread again(load_home(dir / "first").value(), config_at(first_at, {seed_at}));
  REQUIRE(again.started().ok());
  CHECK(has_link(second));
  CHECK(hears(again, listen_of(second)));
}
