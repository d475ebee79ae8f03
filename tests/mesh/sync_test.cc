// Goal: what two nodes say to find out what differs is as short as the design promises, whatever
// the number of logs, and what they find is all there is.
#include <doctest/doctest.h>

#include "core/limits.h"
#include "tests/mesh/many_logs.h"
#include "tests/mesh/raw_peer.h"

namespace ebb::tests {
namespace {

TEST_CASE("HELLOs stay within 160 bytes at 10 to 100,000 logs, first contact included") {
  for (const std::uint64_t logs : {10U, 1000U, 10000U, 100000U}) {
    CAPTURE(logs);
    SyncPair rig(logs);
    rig.meet();  // they have never met, and hold the same
    REQUIRE(rig.last_row(0).kind == "hello");
    REQUIRE(rig.last_row(0).outcome == "in_sync");
    CHECK(rig.cost.hello_bytes <= limits::kHelloBytes);
    CHECK(rig.cost.sync_bytes == 0);
    rig.meet();
    CHECK(rig.cost.hello_bytes <= limits::kHelloBytes);
    CHECK(rig.cost.sync_bytes == 0);
  }
}

TEST_CASE("one changed head of 10,000 costs at most 100 bytes beyond the HELLOs, and no question") {
  Authors authors(1);
  SyncPair rig(9999);
  const auto first = authors.append(0, 1);
  store_segment(rig.store(0), first);
  store_segment(rig.store(1), first);
  rig.meet();
  REQUIRE(rig.last_row(0).kind == "hello");
  store_segment(rig.store(1), authors.append(0, 1));
  rig.meet();
  CHECK(rig.equal());
  CHECK(rig.last_row(0).kind == "cursor");
  CHECK(rig.last_row(1).kind == "cursor");
  CHECK(rig.last_row(0).outcome == "in_sync");
  CHECK(rig.last_row(0).heads_compared == 1);
  CHECK(rig.last_row(0).rounds == 1);
  CHECK(rig.cost.requests == 0);
  CHECK(rig.cost.sync_bytes <= 100);
  MESSAGE("1 of 10,000 by cursor: " << rig.cost.sync_bytes << " B");
}

TEST_CASE("1,000 changed heads of 10,000 cost at most 12 kB by cursor") {
  Authors authors(20);
  SyncPair rig(9000);
  const auto append_everywhere = [&](bool both) {
    for (std::size_t i = 0; i < 1000; ++i) {
      const auto segment = authors.append(i % 20, 1 + i / 20, {"t", 150});
      store_segment(rig.store(0), segment);
      if (both) store_segment(rig.store(1), segment);
    }
  };
  append_everywhere(true);
  rig.meet();
  append_everywhere(false);
  rig.meet(seconds(10));
  CHECK(rig.equal());
  CHECK(rig.last_row(1).kind == "cursor");
  CHECK(rig.last_row(1).heads_compared == 1000);
  CHECK(rig.cost.requests == 0);
  CHECK(rig.cost.sync_bytes <= 12000);
  MESSAGE("1,000 of 10,000 by cursor: " << rig.cost.sync_bytes << " B");
}

TEST_CASE("a log that only the sender knows is named after one more question") {
  Authors authors(3);
  SyncPair rig(500);
  rig.meet();
  for (std::size_t i = 0; i < 3; ++i)
    store_segment(rig.store(0), authors.append(i, 1));
  rig.meet();
  CHECK(rig.equal());
  CHECK(rig.last_row(1).kind == "cursor");
  CHECK(rig.cost.requests == 1);
}

TEST_CASE("without a cursor a few differences among many logs are found by ranges, both ways") {
  Authors authors(8);
  SyncPair rig(10000);
  for (std::size_t i = 0; i < 8; ++i)
    store_segment(rig.store(i % 2), authors.append(i, 1));
  rig.meet();
  CHECK(rig.equal());
  CHECK(rig.last_row(0).kind == "ranges");
  CHECK(rig.last_row(1).kind == "ranges");
  CHECK(rig.last_row(0).outcome == "in_sync");
  CHECK(rig.last_row(1).outcome == "in_sync");
  // A list would be 260 kB a direction.
  CHECK(rig.cost.sync_bytes <= 40000);
  MESSAGE("8 of 10,000 by ranges: " << rig.cost.sync_bytes << " B");
}

TEST_CASE("cursor, ranges and list, side by side") {
  // Of 10,000 logs so many have grown on one side. The list is what an empty node would be sent.
  constexpr std::size_t kLogs = 10000;
  constexpr std::size_t kDevices = 20;
  for (const std::size_t changed : {1U, 10U, 100U, 1000U}) {
    std::uint64_t bytes[2] = {};
    std::uint64_t rounds[2] = {};
    for (const bool by_cursor : {true, false}) {
      Authors authors(kDevices);
      SyncPair rig(kLogs - changed);
      std::vector<trust::VerifiedSegment> later;
      for (std::size_t i = 0; i < changed; ++i) {
        const auto first = authors.append(i % kDevices, 1 + i / kDevices, {"t", 150});
        store_segment(rig.store(0), first);
        store_segment(rig.store(1), first);
        later.push_back(authors.append(i % kDevices, 1 + i / kDevices));
      }
      if (by_cursor) rig.meet();
      for (const trust::VerifiedSegment& segment : later)
        store_segment(rig.store(0), segment);
      rig.meet(seconds(10));
      REQUIRE(rig.equal());
      REQUIRE((rig.last_row(1).kind == "cursor") == by_cursor);
      bytes[by_cursor ? 0 : 1] = rig.cost.sync_bytes;
      rounds[by_cursor ? 0 : 1] = rig.last_row(1).rounds;
    }
    MESSAGE(changed << " of 10,000: cursor " << bytes[0] << " B, " << rounds[0] << " round; ranges "
                    << bytes[1] << " B, " << rounds[1] << " rounds");
    CHECK(bytes[0] <= 100 + 12 * changed);
    CHECK(bytes[0] < bytes[1]);
  }
  SyncPair rig(kLogs);
  rig.add_node(3, {1});
  rig.start(1);
  rig.start(2);
  rig.run_for(milliseconds(30));  // made-up heads have no events: it ends in a fault later on
  const std::uint64_t list = rig.count(1, "sync_resp").bytes_out;
  MESSAGE("all 10,000 as a list: " << list << " B");
  CHECK(list <= 28 * kLogs);
}

TEST_CASE("any few differences in any set of logs are found by ranges") {
  Rng rng(11);
  for (int round = 0; round < 30; ++round) {
    Authors authors(4);
    SyncPair rig(70 + rng.below(3000));
    for (std::uint64_t i = rng.between(1, 12); i > 0; --i) {
      const auto segment = authors.append(rng.below(4), rng.between(1, 6));
      if (rng.chance(1, 2)) store_segment(rig.store(0), segment);
      if (rng.chance(1, 2)) store_segment(rig.store(1), segment);
    }
    rig.meet();
    // An author's later segment without the one before it is nowhere stored.
    REQUIRE(rig.equal());
    REQUIRE(rig.node(0).faults.empty());
    REQUIRE(rig.node(1).faults.empty());
  }
}

TEST_CASE("ranges fall back to the list when more than half of the second level differs") {
  Authors authors(10);
  SyncPair rig(0);
  for (std::size_t i = 0; i < 2400; ++i)
    store_segment(rig.store(i % 2), authors.append(i % 10, 1 + i / 10));
  rig.meet(seconds(10));
  CHECK(rig.equal());
  CHECK(rig.last_row(0).kind == "list");
  CHECK(rig.last_row(1).kind == "list");
  // The first level was compared before.
  CHECK(rig.last_row(0).rounds == 2);
}

TEST_CASE("after a sync by cursor the next event is pushed, not asked for") {
  Authors authors(1);
  SyncPair rig(300);
  rig.append(0, {"own", 1});
  store_segment(rig.store(0), authors.append(0, 1));
  rig.meet();
  store_segment(rig.store(1), authors.append(0, 1));
  rig.start(1);
  rig.start(0);
  rig.run_for(seconds(1));
  REQUIRE(rig.node(0).rows.back().kind == "cursor");
  const std::uint64_t wants = rig.count(1, "want").messages_out;
  rig.append(0, {"own", 1});
  rig.run_for(seconds(1));
  CHECK(rig.equal());
  CHECK(rig.count(1, "want").messages_out == wants);
}

TEST_CASE("equally long logs with other chains are settled by a signed head, not by a claim") {
  FakeStore store(1);
  FakeStore author(9);
  FakeStore twin(9);
  store_segment(store, author.append({"a", 3}).own_segments[0]);
  static_cast<void>(twin.append({"a", 3, 100}));
  const mesh::StoredHead other = twin.heads()[0];
  RawPeer peer(store, 2);
  codec::Hello hello = peer.hello();
  hello.count = 1;
  const auto begin = [&] {
    peer.connect();
    peer.send(hello);
    peer.send(codec::YourLogsSummary{});
    REQUIRE(peer.take<codec::SyncListReq>());
    peer.send(codec::SyncList{{{other.log, 3, {}}}, false, 0});
    const auto request = peer.take<codec::SyncHeadsReq>();
    REQUIRE(request);
    CHECK(request->logs == std::vector<LogId>{other.log});
    CHECK(peer.engine().counters().forks_suspected == 0);
  };
  codec::SignedHead head{other.key, 3, other.hlc, other.held.chain, other.signature};
  SUBCASE("shown") {
    begin();
    peer.send(codec::SyncHeads{{head}});
    CHECK(peer.engine().counters().forks_suspected == 1);
    CHECK(!peer.closed());
  }
  SUBCASE("not shown") {
    begin();
    peer.send(codec::SyncHeads{});
    CHECK(peer.engine().counters().forks_suspected == 0);
    CHECK(!peer.closed());
  }
  SUBCASE("forged") {
    begin();
    head.chain.data[0] ^= 1;
    peer.send(codec::SyncHeads{{head}});
    CHECK(peer.faulted_with("bad_signature"));
    CHECK(peer.engine().counters().forks_suspected == 0);
  }
}

TEST_CASE("ranges that nobody asked about, or told twice, end the link") {
  FakeStore store(1);
  for (std::uint64_t number = 0; number < 100; ++number)
    store.add_head(made_up_head(number));
  RawPeer peer(store, 2);
  codec::Hello hello = peer.hello();
  hello.count = 100;
  peer.connect();
  peer.send(hello);
  peer.send(codec::YourLogsSummary{});
  SUBCASE("not below a question") {
    const auto request = peer.take<codec::SyncRangesReq>();
    REQUIRE(request);
    CHECK(request->ranges.size() == 1);
    codec::SyncRange range;
    range.prefix = IdPrefix{}.child(1).child(2);
    peer.send(codec::SyncRanges{{range}, {}, 0});
    CHECK(peer.faulted_with("malformed_list"));
  }
  SUBCASE("answers beyond the questions") {
    peer.send(codec::SyncRanges{});
    CHECK(!peer.closed());
    peer.send(codec::SyncRanges{});
    CHECK(peer.faulted_with("out_of_order"));
  }
  SUBCASE("one prefix twice in an answer") {
    codec::SyncRange range;
    range.prefix = IdPrefix{}.child(1);
    range.children[0].data[0] = 1;
    peer.send(codec::SyncRanges{{range, range}, {}, 0});
    CHECK(peer.faulted_with("malformed_list"));
  }
  SUBCASE("an answer below another question than the one that it answers") {
    codec::SyncRanges answer;
    for (std::size_t digit = 0; digit < 4; ++digit) {
      codec::SyncRange range;
      range.prefix = IdPrefix{}.child(digit);
      for (Fingerprint& child : range.children)
        child.data[0] = 1;
      answer.ranges.push_back(range);
    }
    peer.forget_received();
    peer.send(answer);
    const auto first = peer.take<codec::SyncRangesReq>();
    const auto second = peer.take<codec::SyncRangesReq>();
    REQUIRE(first);
    REQUIRE(second);
    codec::SyncRange range;
    range.prefix = second->ranges[0].prefix.child(1);
    peer.send(codec::SyncRanges{{range}, {}, 0});
    CHECK(peer.faulted_with("malformed_list"));
  }
}

TEST_CASE("a question about too many ranges, or about one of them twice, ends the link") {
  FakeStore store(1);
  RawPeer peer(store, 2);
  peer.greet();
  SUBCASE("more than a question may hold") {
    codec::SyncRangesReq request;
    request.ranges.resize(limits::kRangesAsked + 1);
    peer.send(request);
    CHECK(peer.faulted_with("too_many_ranges"));
  }
  SUBCASE("one prefix twice in a question") {
    codec::SyncRangesReq request;
    request.ranges.resize(2);
    peer.send(request);
    CHECK(peer.faulted_with("malformed_ranges"));
  }
  SUBCASE("a prefix within another in a question") {
    codec::SyncRangesReq request;
    request.ranges.resize(2);
    request.ranges[1].prefix = IdPrefix{}.child(3);
    peer.send(request);
    CHECK(peer.faulted_with("malformed_ranges"));
  }
  SUBCASE("prefixes out of order in a question") {
    codec::SyncRangesReq request;
    request.ranges.resize(2);
    request.ranges[0].prefix = IdPrefix{}.child(4);
    request.ranges[1].prefix = IdPrefix{}.child(3);
    peer.send(request);
    CHECK(peer.faulted_with("malformed_ranges"));
  }
}

}  // namespace
}  // namespace ebb::tests
