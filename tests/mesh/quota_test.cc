// What an engine makes of authors that have used up their quota at its store.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/mesh/raw_peer.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

std::size_t told(const std::vector<mesh::Notice>& notices) {
  return static_cast<std::size_t>(std::count_if(
      notices.begin(), notices.end(),
      [](const mesh::Notice& notice) { return notice.kind == mesh::NoticeKind::kOverQuota; }));
}

TEST_CASE("segments beyond a quota are counted, told once a link and no fault") {
  FakeStore store(1);
  FakeStore author(9);
  FakeStore other(8);
  const auto first = author.append({"a", 1}).own_segments[0];
  const auto second = author.append({"a", 1}).own_segments[0];
  const auto fresh = author.append({"b", 1}).own_segments[0];
  RawPeer peer(store, 2);
  peer.greet();
  peer.send(delta_of({first}));
  store.over_quota = author.device();
  peer.send(delta_of({second}));
  peer.send(delta_of({fresh}));
  peer.send(delta_of({other.append({"a", 1}).own_segments[0]}));
  CHECK(peer.engine().counters().quota_refused == 2);
  CHECK(told(peer.notices()) == 1);
  CHECK(peer.faults().empty());
  CHECK(!peer.closed());
  CHECK(store.events() == 2);
}

// Node 0 has had enough of node 2, with which it is linked as it is with node 1; node 1 has not.
class Flooded : public Rig {
 public:
  Flooded() {
    add_node(1);
    add_node(2, {0});
    add_node(3, {0, 1});
    for (std::size_t i = 0; i < 3; ++i)
      start(i);
    run_for(seconds(5));
    append(2, {"flood", 1});
    run_for(seconds(1));
    store(0).over_quota = store(2).device();
    held = store(0).events();
  }
  std::uint64_t held = 0;
};

TEST_CASE("an author beyond its quota stops at one node; links, and all else, go on") {
  Flooded rig;
  REQUIRE(rig.held == 1);
  for (int i = 0; i < 60; ++i) {
    rig.append(2, {"flood", 3});
    rig.append(1, {"own", 1});
    rig.append(0, {"mine", 1});
    rig.run_for(seconds(1));
  }
  CHECK(rig.store(0).events() == 1 + 120);
  CHECK(rig.store(1).events() == 1 + 300);
  CHECK(rig.store(2).events() == 1 + 300);
  CHECK(rig.streams_between(0, 1) == 1);
  CHECK(rig.streams_between(0, 2) == 1);
  for (std::size_t i = 0; i < 3; ++i)
    CHECK(rig.node(i).faults.empty());
  CHECK(rig.engine(0).counters().quota_refused >= 1);
  CHECK(told(rig.node(0).notices) >= 1);
  CHECK(told(rig.node(0).notices) <= 2);
  // It is not asked for again and again, nor pushed.
  CHECK(rig.engine(0).counters().pushes_received < 80);
  CHECK(rig.count(0, "want").messages_out < 10);
  MESSAGE(rig.engine(0).counters().quota_refused << " refused, "
                                                 << rig.count(0, "want").messages_out << " wants");
}

TEST_CASE("a log that was refused for its author's quota goes on with the next link") {
  Flooded rig;
  rig.append(2, {"flood", 3});
  rig.run_for(seconds(5));
  REQUIRE(rig.store(0).events() == 1);
  REQUIRE(rig.engine(0).counters().quota_refused > 0);
  rig.store(0).over_quota.reset();
  rig.cut(0, 1);
  rig.cut(0, 2);
  rig.run_for(seconds(60));
  CHECK(rig.store(0).events() == 4);
  CHECK(rig.engine(0).root() == rig.engine(2).root());
}

}  // namespace
}  // namespace ebb::tests
