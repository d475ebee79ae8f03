// A store that was set back to an earlier state without the loss of own events: who knows later
// arrivals of it than it has says so, and it takes another epoch.
#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

#include "tests/mesh/many_logs.h"
#include "tests/mesh/raw_links.h"
#include "tests/mesh/raw_peer.h"
#include "tests/mesh/rig.h"
#include "trust/fingerprint.h"

namespace ebb::tests {
namespace {

std::size_t set_backs(const std::vector<mesh::Notice>& notices) {
  return static_cast<std::size_t>(std::count_if(
      notices.begin(), notices.end(),
      [](const mesh::Notice& notice) { return notice.kind == mesh::NoticeKind::kSetBackFound; }));
}

// Greets with this cursor of the engine's store.
void greet_with(RawPeer& peer, const codec::Cursor& cursor) {
  codec::Hello hello = peer.hello();
  hello.cursor = cursor;
  peer.connect();
  peer.send(hello);
  peer.send(codec::YourLogsSummary{});
}

TEST_CASE("a cursor beyond all arrivals has the store take another epoch before it is shown") {
  FakeStore store(1);
  static_cast<void>(store.append({"a", 1}));
  RawPeer peer(store, 2);
  greet_with(peer, {store.epoch(), store.arrival_head() + 1});
  CHECK(set_backs(peer.notices()) == 1);
  CHECK(peer.engine().counters().set_backs_found == 1);
  CHECK(!peer.closed());

  // Not stored yet: the old one is shown, and no cursor of it counts.
  const StoreEpoch before = store.epoch();
  peer.forget_received();
  greet_with(peer, {before, store.arrival_head()});
  const auto old_hello = peer.take<codec::Hello>();
  REQUIRE(old_hello);
  CHECK(old_hello->epoch == before);
  const auto changes = peer.take<codec::SyncChanges>();
  REQUIRE(changes);
  CHECK(changes->too_many);

  peer.input(mesh::EpochTaken{store.take_epoch()});
  CHECK(peer.closed());
  peer.forget_received();
  peer.connect();
  const auto hello = peer.take<codec::Hello>();
  REQUIRE(hello);
  CHECK(hello->epoch == store.epoch());
  CHECK(hello->epoch != before);
}

TEST_CASE("who lies of cursors has another epoch taken once a start") {
  FakeStore store(1);
  static_cast<void>(store.append({"a", 1}));
  RawPeer peer(store, 2);
  SUBCASE("in the epoch of the start") {}
  SUBCASE("in one that began with an incarnation") {
    peer.input(store.begin_anew(2));
    greet_with(peer, {store.epoch(), store.arrival_head() + 100});
    CHECK(set_backs(peer.notices()) == 0);
    return;
  }
  for (int i = 0; i < 5; ++i) {
    greet_with(peer, {store.epoch(), store.arrival_head() + 100});
    peer.run_until(peer.now + seconds(3600));
    if (i == 0) peer.input(mesh::EpochTaken{store.take_epoch()});
  }
  CHECK(set_backs(peer.notices()) == 1);
  CHECK(peer.faults().empty());
}

TEST_CASE("cursors that say nothing of it leave an epoch alone") {
  FakeStore store(1);
  static_cast<void>(store.append({"a", 1}));
  RawPeer peer(store, 2);
  codec::Cursor cursor;
  SUBCASE("none") {}
  SUBCASE("at the head") { cursor = {store.epoch(), store.arrival_head()}; }
  SUBCASE("of another epoch") { cursor = {store.epoch() + 1, store.arrival_head() + 7}; }
  greet_with(peer, cursor);
  CHECK(set_backs(peer.notices()) == 0);
}

TEST_CASE("a cursor that moved since the HELLO that it answers is none of a later store") {
  FakeStore store(1);
  static_cast<void>(store.append({"a", 1}));
  RawPeer peer(store, 2);
  peer.connect();
  peer.input(store.append({"a", 1}));
  codec::Hello hello = peer.hello();
  hello.cursor = {store.epoch(), store.arrival_head()};
  peer.send(hello);
  CHECK(set_backs(peer.notices()) == 0);
}

constexpr Arrival kBeyondAll = std::numeric_limits<Arrival>::max();

TEST_CASE("a peer that was set back is shown a cursor beyond all until it has another epoch") {
  FakeStore store(1);
  mesh::Config config;
  config.cursors = {{FakeStore(2).device(), {7, 50}}};
  RawPeer peer(store, 2, config);
  const auto shown = [&](StoreEpoch epoch, Arrival arrival_head) {
    codec::Hello hello = peer.hello();
    hello.epoch = epoch;
    hello.arrival_head = arrival_head;
    hello.root = trust::FingerprintSum().fingerprint();
    peer.forget_received();
    peer.connect();
    const auto ours = peer.take<codec::Hello>();
    REQUIRE(ours);
    peer.send(hello);
    peer.send(codec::YourLogsSummary{});
    peer.send(codec::Have{{}, arrival_head});
    peer.run_until(peer.now + seconds(5));
    return ours->cursor;
  };
  CHECK(shown(7, 30) == codec::Cursor{7, 50});
  REQUIRE(peer.cursors().size() == 1);
  CHECK(peer.cursors().back().cursor == codec::Cursor{7, kBeyondAll});
  // Neither an exchange that ends, nor a store that has grown past the cursor, moves it.
  CHECK(shown(7, 60) == codec::Cursor{7, kBeyondAll});
  CHECK(shown(7, 61) == codec::Cursor{7, kBeyondAll});
  CHECK(peer.cursors().size() == 1);
  CHECK(shown(8, 61) == codec::Cursor{7, kBeyondAll});
  CHECK(shown(8, 61) == codec::Cursor{8, 61});
  CHECK(peer.faults().empty());
}

TEST_CASE("a cursor that another link moved while this one was made is no sign of a loss") {
  FakeStore store(1);
  RawLinks links(store);
  codec::Hello hello;
  hello.epoch = 7;
  hello.arrival_head = 30;
  const std::size_t first = links.connect(2);
  links.greet(first, hello, {});
  links.run_for(seconds(1));
  const std::size_t second = links.connect(2);
  links.send(first, codec::Have{{}, 40});
  REQUIRE(!links.cursors().empty());
  REQUIRE(links.cursors().back().cursor == codec::Cursor{7, 40});
  hello.arrival_head = 35;  // as it was before that
  links.greet(second, hello, {});
  // As that HELLO would say of a store that was set back, the cursor means nothing; the exchange of
  // the link moves it anew.
  REQUIRE(links.cursors().size() >= 2);
  CHECK(links.cursors().end()[-2].cursor == codec::Cursor{7, 0});
  CHECK(links.cursors().back().cursor == codec::Cursor{7, 35});
}

// Node 0 loses what it has of others; nodes 1 and 2 have cursors of that. When 1 has met it, it
// takes in more than it lost, and then meets 2, which lacks that.
struct SetBack : Rig {
  SetBack() {
    add_node(1);
    add_node(2, {0});
    add_node(3, {0});
    for (std::size_t i = 0; i < 3; ++i)
      node(i).config.cover_interval = milliseconds(1);
    parted = [](std::size_t a, std::size_t b) { return a + b == 3; };
  }
  void write(std::size_t author, std::size_t holder) {
    store_segment(store(holder), authors.append(author, 1));
  }
  void meet(std::size_t other) {
    start(0);
    start(other);
    run_for(seconds(5));
    stop(0);
    stop(other);
    run_for(seconds(1));
  }
  Authors authors{40};
};

TEST_CASE("cursors of all peers fall with the epoch, not of that alone which shows it") {
  SetBack rig;
  bool takes_epoch = true;
  SUBCASE("as it is") {}
  SUBCASE("without another epoch there is a gap") { takes_epoch = false; }
  rig.takes_epochs = takes_epoch;
  rig.write(0, 0);
  const auto backup = rig.store(0).back_up();
  for (std::size_t author = 1; author <= 5; ++author)
    rig.write(author, 0);
  rig.meet(1);
  rig.meet(2);
  REQUIRE(rig.store(2).cursors().size() == 1);
  rig.store(0).restore(*backup, false);
  // One log by the link, and more than were lost by node 1, none of which node 2 has.
  for (std::size_t author = 10; author < 30; ++author)
    rig.write(author, 1);
  rig.meet(1);
  REQUIRE(rig.store(0).heads().size() == rig.store(1).heads().size());
  CHECK(set_backs(rig.node(0).notices) == 1);
  rig.meet(2);
  const bool agree = rig.store(2).heads().size() == rig.store(0).heads().size();
  CHECK(agree == takes_epoch);
}

// Its store dies before it has taken another epoch, and by then who has told it of the loss holds
// all that it has now.
TEST_CASE("a set-back store that dies before it has another epoch is told again") {
  std::size_t more = 0;
  SUBCASE("with fewer arrivals still") { more = 2; }
  SUBCASE("grown past what was lost") { more = 20; }
  SetBack rig;
  rig.write(0, 0);
  const auto backup = rig.store(0).back_up();
  for (std::size_t author = 1; author <= 5; ++author)
    rig.write(author, 0);
  rig.meet(1);
  rig.meet(2);
  rig.store(0).restore(*backup, false);
  const StoreEpoch before = rig.store(0).epoch();
  for (std::size_t author = 10; author < 10 + more; ++author)
    rig.write(author, 1);
  rig.takes_epochs = false;
  rig.meet(1);
  REQUIRE(set_backs(rig.node(0).notices) == 1);
  REQUIRE(rig.store(0).epoch() == before);
  rig.takes_epochs = true;
  rig.meet(1);
  CHECK(set_backs(rig.node(0).notices) == 2);
  CHECK(rig.store(0).epoch() != before);
  rig.meet(2);
  CHECK(rig.store(2).heads().size() == rig.store(0).heads().size());
}

}  // namespace
}  // namespace ebb::tests
