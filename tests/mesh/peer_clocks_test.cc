#include "mesh/peer_clocks.h"

#include <doctest/doctest.h>

#include <vector>

#include "core/limits.h"
#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

using mesh::PeerClocks;

constexpr WallTime kBuilt{1600000000000};
constexpr std::int64_t kNow = 1700000000000;
constexpr std::int64_t kYear = std::int64_t{365} * 24 * 3600 * 1000;

DeviceId device(std::uint8_t number) {
  DeviceId id;
  id.data.fill(number);
  return id;
}

TEST_CASE("two peers prove nothing, three have a median that a wrong one does not move") {
  PeerClocks clocks(kBuilt);
  const Instant now{seconds(100).us};
  clocks.hear(device(1), {kNow + 10 * kYear}, {}, now);
  clocks.hear(device(2), {kNow + 5}, {}, now);
  CHECK(!clocks.median());
  clocks.hear(device(3), {kNow}, {}, now);
  REQUIRE(clocks.median());
  CHECK(clocks.median()->peers == 3);
  CHECK(clocks.median()->at(now).ms == kNow + 5);
  CHECK(clocks.median()->at(now + seconds(60)).ms == kNow + 60005);
  clocks.hear(device(1), {kNow + 1}, {}, now);  // its clock was set meanwhile
  CHECK(clocks.median()->at(now).ms == kNow + 1);
}

TEST_CASE("half of the round trip is added to what a peer said") {
  PeerClocks clocks(kBuilt);
  for (std::uint8_t i = 1; i <= 3; ++i)
    clocks.hear(device(i), {kNow}, seconds(i), Instant{});
  CHECK(clocks.median()->at({}).ms == kNow + 2000);
}

TEST_CASE("a peer that doubts its clock, or has none, says nothing and takes back what it said") {
  PeerClocks clocks(kBuilt);
  for (std::uint8_t i = 1; i <= 3; ++i)
    clocks.hear(device(i), {kNow}, {}, Instant{});
  REQUIRE(clocks.median());
  SUBCASE("suspect") { clocks.hear(device(1), {0}, {}, Instant{}); }
  SUBCASE("before the build") { clocks.hear(device(1), {kBuilt.ms - 1}, {}, Instant{}); }
  SUBCASE("no time at all") { clocks.hear(device(1), {INT64_MAX}, {}, Instant{}); }
  CHECK(!clocks.median());
}

TEST_CASE("what a peer said is forgotten after a day") {
  PeerClocks clocks(kBuilt);
  for (std::uint8_t i = 1; i <= 3; ++i)
    clocks.hear(device(i), {kNow}, {}, Instant{seconds(i).us});
  const Instant due = Instant{seconds(1).us} + milliseconds(limits::kClockSampleMs);
  CHECK(clocks.next_expiry() == due);
  clocks.expire(due - microseconds(1));
  CHECK(clocks.median());
  clocks.expire(due);
  CHECK(!clocks.median());
}

TEST_CASE("what a peer said stays while a link to it stands, and a day longer") {
  PeerClocks clocks(kBuilt);
  const Duration day = milliseconds(limits::kClockSampleMs);
  for (std::uint8_t i = 1; i <= 3; ++i) {
    clocks.hear(device(i), {kNow}, {}, Instant{});
    clocks.link_stands(device(i));
  }
  CHECK(!clocks.next_expiry());
  clocks.expire(Instant{} + day * 30);
  CHECK(clocks.median());
  CHECK(clocks.median()->at(Instant{} + day * 30).ms == kNow + 30 * limits::kClockSampleMs);
  clocks.link_ended(device(2), Instant{} + day * 30);
  clocks.expire(Instant{} + day * 31 - microseconds(1));
  CHECK(clocks.median());
  CHECK(clocks.next_expiry() == Instant{} + day * 31);
  clocks.expire(Instant{} + day * 31);
  CHECK(!clocks.median());
}

TEST_CASE("of more devices than are kept the oldest samples go") {
  PeerClocks clocks(kBuilt);
  for (std::size_t i = 0; i < limits::kClockSamples + 10; ++i) {
    clocks.hear(device(static_cast<std::uint8_t>(i)), {kNow}, {},
                Instant{seconds(static_cast<std::int64_t>(i)).us});
  }
  CHECK(clocks.median()->peers == limits::kClockSamples);
  CHECK(clocks.next_expiry() == Instant{seconds(10).us} + milliseconds(limits::kClockSampleMs));
}

// ---- through HELLO

std::optional<PeerClock> last_told(Rig& rig, std::size_t i) {
  const auto& told = rig.node(i).clocks;
  return told.empty() ? std::nullopt : told.back().clock;
}

TEST_CASE("a node hears the time of three peers from their HELLOs, corrected by the round trip") {
  Rig rig;
  rig.latency = milliseconds(400);
  rig.add_node(1);
  for (std::uint8_t i = 2; i <= 4; ++i)
    rig.add_node(i, {0});
  rig.node(0).wall_off_ms = -10 * kYear;
  rig.node(3).wall_off_ms = kYear;
  for (std::size_t i = 0; i <= 2; ++i)
    rig.start(i);
  rig.run_for(seconds(5));
  CHECK(!last_told(rig, 0));
  rig.start(3);
  rig.run_for(seconds(5));
  const auto told = last_told(rig, 0);
  REQUIRE(told);
  CHECK(told->peers == 3);
  const std::int64_t off = told->at(rig.now()).ms - rig.wall().ms;
  CHECK(off <= 1);
  CHECK(off >= -1);
}

TEST_CASE("a node whose clock is suspect does not say what it shows") {
  Rig rig;
  rig.add_node(1);
  for (std::uint8_t i = 2; i <= 4; ++i)
    rig.add_node(i, {0});
  rig.node(2).config.clock_suspect = true;
  for (std::size_t i = 0; i <= 3; ++i)
    rig.start(i);
  rig.run_for(seconds(5));
  CHECK(!last_told(rig, 0));
  // It is set right, and the next HELLO tells.
  rig.input(2, mesh::ClockJudged{false});
  rig.cut(0, 2);
  rig.run_for(seconds(5));
  CHECK(last_told(rig, 0));
}

// What four nodes send and dial within three minutes in which one stops and comes back.
std::vector<std::uint64_t> story(const std::vector<std::int64_t>& wall_jumps) {
  Rig rig;
  rig.add_node(1);
  for (std::uint8_t i = 2; i <= 4; ++i)
    rig.add_node(i, {0});
  for (std::size_t i = 0; i < 4; ++i)
    rig.start(i);
  for (std::size_t step = 0; step < 12; ++step) {
    for (std::size_t i = 0; i < 4; ++i) {
      if (!wall_jumps.empty()) {
        rig.node(i).wall_off_ms = wall_jumps[(step + i) % wall_jumps.size()];
      }
      if (rig.node(i).engine != nullptr) rig.append(i);
    }
    if (step == 4) rig.stop(2);
    if (step == 8) rig.start(2);
    rig.run_for(seconds(15));
  }
  std::vector<std::uint64_t> told;
  for (std::size_t i = 0; i < 4; ++i) {
    told.push_back(rig.node(i).dial_times.size());
    for (const Instant at : rig.node(i).dial_times)
      told.push_back(static_cast<std::uint64_t>(at.us));
    for (const auto& [name, count] : rig.engine(i).counters().messages) {
      told.push_back(count.messages_in);
      told.push_back(count.messages_out);
    }
    told.push_back(rig.store(i).events());
    CHECK(rig.engine(i).root() == rig.engine(0).root());
  }
  return told;
}

TEST_CASE("whom nodes dial and what messages they send does not depend on wall clocks") {
  const std::vector<std::uint64_t> calm = story({});
  CHECK(story({0, 10 * kYear, -10 * kYear, -3600000, -kNow}) == calm);
}

TEST_CASE("links that stand for two days still tell the time, and a day after they end no more") {
  Rig rig;
  rig.add_node(1);
  for (std::uint8_t seed = 2; seed <= 4; ++seed)
    rig.add_node(seed, {0});
  for (std::size_t i = 0; i < 4; ++i)
    rig.start(i);
  rig.run_for(seconds(3));
  REQUIRE(last_told(rig, 0));
  rig.run_for(milliseconds(2 * limits::kClockSampleMs));
  CHECK(last_told(rig, 0));
  for (std::size_t i = 1; i < 4; ++i)
    rig.stop(i);
  rig.run_for(milliseconds(limits::kClockSampleMs) - seconds(60));
  CHECK(last_told(rig, 0));
  rig.run_for(seconds(120));
  CHECK(!last_told(rig, 0));
}

}  // namespace
}  // namespace ebb::tests
