#include <doctest/doctest.h>

#include <memory>
#include <string>

#include "node/node.h"
#include "tests/node/node_thread.h"
#include "tests/temp_dir.h"

namespace {

using ebb::node::Node;
using ebb::tests::holds_events;
using ebb::tests::listen_of;
using ebb::tests::make_batch;
using ebb::tests::make_config;
using ebb::tests::make_home;
using ebb::tests::NodeThread;
using ebb::tests::TempDir;

// While its link stands.
bool holds_linked(NodeThread& node, std::uint64_t events) {
  return holds_events(node, events) &&
         node.wait_until([](Node& n) { return n.status().links_in_sync == 1; });
}

TEST_CASE("a leaf delivers what it writes and holds nothing else, until it starts as a full node") {
  const TempDir dir;
  NodeThread a(make_home(dir / "a"), make_config());
  REQUIRE(a.started().ok());
  REQUIRE(a.append(make_batch(3)).ok());
  ebb::node::Config leaf = make_config({listen_of(a)});
  leaf.scope.kind = ebb::ScopeKind::kLeaf;
  auto b = std::make_unique<NodeThread>(make_home(dir / "b", dir / "a"), leaf);
  REQUIRE(b->started().ok());
  REQUIRE(b->append(make_batch(2)).ok());
  REQUIRE(holds_linked(a, 5));
  REQUIRE(holds_linked(*b, 2));
  REQUIRE(a.append(make_batch(4)).ok());
  REQUIRE(b->append(make_batch(1)).ok());
  REQUIRE(holds_linked(a, 10));
  REQUIRE(holds_linked(*b, 3));
  const auto status = b->on_loop([](Node& n) { return n.status(); });
  CHECK(status.scope.kind == ebb::ScopeKind::kLeaf);
  CHECK_FALSE(status.relay);
  CHECK(status.relays == 1);
  CHECK(status.events_known == status.events_held);
  const auto links = a.on_loop([](Node& n) { return n.links(); });
  REQUIRE(links.size() == 1);
  CHECK(links[0].scope == "leaf");
  CHECK_FALSE(links[0].relay);
  CHECK(links[0].missing_there == 0);
  b.reset();

  NodeThread full(ebb::node::load_home(dir / "b").value(), make_config({listen_of(a)}));
  REQUIRE(full.started().ok());
  REQUIRE(holds_linked(full, 10));
  CHECK(full.on_loop([](Node& n) { return n.status(); }).epoch != status.epoch);
}

}  // namespace
