// Several holders at work on one catch-up, each as fast as its link is.
#include <doctest/doctest.h>

#include <optional>

#include "core/limits.h"
#include "tests/mesh/holders.h"

namespace ebb::tests {
namespace {

Duration alone(std::size_t segments) {
  Holders rig({kHolderRate, kHolderRate});
  rig.write_long_log(segments, 0);
  rig.start(0);
  rig.start(kReader);
  const auto took = rig.fetch(seconds(600));
  REQUIRE(took);
  CHECK(rig.redundant() == 0);
  return *took;
}

constexpr std::size_t kSegments = 1000;

}  // namespace

TEST_CASE("two holders of equal rate bring one long log in half the time") {
  const Duration one = alone(kSegments);
  Holders rig({kHolderRate, kHolderRate});
  rig.write_long_log(kSegments, kSegments);
  rig.start_all();
  const auto both = rig.fetch(seconds(600));
  REQUIRE(both);
  MESSAGE(one.ms() << " ms from one, " << both->ms() << " ms from two, " << rig.redundant()
                   << " events of " << rig.events << " twice");
  CHECK(*both * 100 <= one * 55);
  CHECK(rig.redundant() * 100 <= rig.events * 5);
  for (const std::size_t holder : {0U, 1U})
    CHECK(rig.sent_by(holder) * 100 >= rig.events * 40);
  CHECK(rig.queued_max <= 2 * (limits::kInboundBytesPerPeer / 2 + limits::kFrameBytes));
  for (const mesh::LinkStatus& link : rig.engine(kReader).links())
    CHECK(link.state == "in_sync");
}

TEST_CASE("of two holders one at a tenth of the rate does not hold up the other") {
  std::size_t slow = 0;
  bool is_first = false;
  SUBCASE("the first one") {}
  SUBCASE("the second one") { slow = 1; }
  SUBCASE("which is asked for all of it, since the other comes later") { is_first = true; }
  Holders rig({kHolderRate, kHolderRate});
  rig.rates.at(slow) = kHolderRate / 10;
  rig.write_long_log(kSegments, kSegments);
  if (is_first) {
    rig.start(slow);
    rig.start(kReader);
    while (rig.store(kReader).events() == 0)
      rig.run_for(milliseconds(100));
    rig.start(1 - slow);
  } else {
    rig.start_all();
  }
  const auto both = rig.fetch(seconds(600));
  REQUIRE(both);
  const Duration one = alone(kSegments);
  MESSAGE(one.ms() << " ms from the fast one alone, " << both->ms() << " ms from both, "
                   << rig.redundant() << " events of " << rig.events << " twice");
  // Together they are 1.1 times as fast as the one.
  CHECK(*both * 110 <= one * 130);
  CHECK(rig.redundant() * 100 <= rig.events * 5);
}

TEST_CASE(
    "many logs are shared by speed: who has a tenth of it gets few, and keeps none for long") {
  std::size_t logs = 0;
  std::size_t segments = 0;
  SUBCASE("of small ones") {
    logs = 320;
    segments = 3;
  }
  SUBCASE("of large ones") {
    logs = 16;
    segments = 60;
  }
  Holders rig({kHolderRate, kHolderRate / 10});
  rig.write_logs(logs, segments);
  rig.start_all();
  const auto both = rig.fetch(seconds(600));
  REQUIRE(both);
  const Duration one = alone(logs * segments);
  MESSAGE(one.ms() << " ms as one log from the fast one alone, " << both->ms() << " ms from both, "
                   << rig.redundant() << " events of " << rig.events << " twice");
  CHECK(*both * 110 <= one * 130);
  CHECK(rig.redundant() * 100 <= rig.events * 5);
}

TEST_CASE("the part of a holder that dies, or falls silent, is brought by the other") {
  bool silent = false;
  SUBCASE("it dies") {}
  SUBCASE("it falls silent") { silent = true; }
  Holders rig({kHolderRate, kHolderRate});
  rig.write_long_log(kSegments, kSegments);
  rig.start_all();
  rig.run_for(seconds(3));
  REQUIRE(rig.sent_by(1) > rig.events / 20);
  if (silent) {
    rig.node(1).mute = true;
  } else {
    rig.stop(1);
  }
  const auto rest = rig.fetch(seconds(600));
  REQUIRE(rest);
  CHECK(*rest <= alone(kSegments) + seconds(3));
  CHECK(rig.redundant() * 100 <= rig.events * 5);
  rig.run_for(seconds(1));
  if (!silent) CHECK(rig.engine(kReader).queued_bytes() == 0);
}

TEST_CASE("a holder of less than it claims, and one of a part, are asked for that and no more") {
  bool lies = false;
  SUBCASE("it has a part") {}
  SUBCASE("it claims all") { lies = true; }
  Holders rig({kHolderRate, kHolderRate});
  rig.write_long_log(kSegments, kSegments);
  const LogId log = rig.author.own_log("long");
  if (lies) {
    mesh::StoredHead head = rig.store(1).heads().at(0);
    rig.store(1).lose(log);
    rig.store(1).add_head(head);  // and nothing behind it
  } else {
    rig.store(1).roll_back(log, kSegments / 2);
  }
  rig.start_all();
  const auto both = rig.fetch(seconds(600));
  REQUIRE(both);
  CHECK(*both <= alone(kSegments) + seconds(3));
  CHECK(rig.redundant() * 100 <= rig.events * 5);
}

}  // namespace ebb::tests
