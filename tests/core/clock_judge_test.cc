#include "core/clock_judge.h"

#include <doctest/doctest.h>

#include "core/limits.h"
#include "core/rng.h"

using namespace ebb;

namespace {

constexpr std::int64_t kDay = std::int64_t{24} * 3600 * 1000;
constexpr std::int64_t kTenYears = 3650 * kDay;
constexpr WallTime kBuilt{1700000000000};
constexpr WallTime kNow{kBuilt.ms + 100 * kDay};

// A machine: the true time is kNow plus what has passed; its wall clock is off by `off_ms`.
struct Machine {
  Instant monotonic{5000000};
  std::int64_t off_ms = 0;
  ClockJudge judge;

  explicit Machine(std::optional<WallTime> last_commit)
      : judge({.built = kBuilt, .last_commit = last_commit, .now = monotonic}) {}

  WallTime truth() const { return {kNow.ms + (monotonic.us - 5000000) / 1000}; }
  ClockReading reading() const { return {{truth().ms + off_ms}, monotonic}; }
  ClockVerdict look() const { return judge.judge(reading()); }
  ClockVerdict commit() {
    const ClockVerdict verdict = look();
    judge.follow(reading(), verdict);
    return verdict;
  }
  void pass(Duration time) { monotonic = monotonic + time; }
  void peers_say(std::int64_t off) {
    judge.hear(PeerClock{{truth().ms + off - monotonic.us / 1000}, 3});
  }
};

}  // namespace

TEST_CASE("a clock that nothing contradicts is believed") {
  Machine machine(std::nullopt);
  const ClockVerdict first = machine.commit();
  CHECK(!first.suspect());
  CHECK(first.time == machine.truth());
  CHECK(!first.repair_ms);
  machine.pass(seconds(3600));
  CHECK(machine.commit().time == machine.truth());
  CHECK(!machine.look().new_line);
}

TEST_CASE("a clock 120 s before the last commit is believed, one ms more is not") {
  Machine machine(kNow);
  machine.off_ms = -limits::kClockBackMs;
  CHECK(!machine.look().suspect());
  machine.off_ms -= 1;
  const ClockVerdict verdict = machine.look();
  CHECK(verdict.doubt == ClockDoubt::kBeforeLastCommit);
  CHECK(verdict.off_ms == -limits::kClockBackMs - 1);
  CHECK(verdict.time == kNow);
}

TEST_CASE("a clock before the build is doubted, and time begins at the build at the latest") {
  Machine machine(std::nullopt);
  machine.off_ms = -machine.truth().ms;  // 1970
  CHECK(machine.commit().doubt == ClockDoubt::kBeforeBuild);
  CHECK(machine.look().time == kBuilt);
  machine.pass(seconds(100));
  CHECK(machine.commit().time.ms == kBuilt.ms + 100000);
  CHECK(!machine.look().repair_ms);
}

TEST_CASE("a doubted clock's time goes on at the pace of the monotonic clock, through any steps") {
  Machine machine(kNow);
  Rng rng(7);
  for (int i = 0; i < 10000; ++i) {
    machine.pass(microseconds(static_cast<std::int64_t>(rng.below(2000000))));
    // Anything from 1970 to an hour behind.
    machine.off_ms = -3600000 - static_cast<std::int64_t>(rng.below(40 * kTenYears / 10));
    const ClockVerdict verdict = machine.commit();
    REQUIRE(verdict.suspect());
    REQUIRE(verdict.time == machine.truth());
  }
}

TEST_CASE("peers' median 10 min away is believed over, one ms more makes the clock suspect") {
  Machine machine(kNow);
  machine.peers_say(limits::kClockPeersMs);
  CHECK(!machine.look().suspect());
  machine.peers_say(limits::kClockPeersMs + 1);
  CHECK(machine.look().doubt == ClockDoubt::kFarFromPeers);
  CHECK(machine.look().off_ms == -limits::kClockPeersMs - 1);
  machine.peers_say(-limits::kClockPeersMs - 1);
  CHECK(machine.look().off_ms == limits::kClockPeersMs + 1);
}

TEST_CASE("a clock that jumps among peers is doubted, and its time stays right") {
  Machine machine(kNow);
  machine.peers_say(0);
  machine.commit();
  for (const std::int64_t off : {kTenYears, -kTenYears, std::int64_t{3600000}, -kNow.ms}) {
    machine.pass(seconds(10));
    machine.off_ms = off;
    const ClockVerdict verdict = machine.commit();
    CHECK(verdict.suspect());
    CHECK(verdict.time == machine.truth());
    CHECK(!verdict.repair_ms);
  }
  machine.off_ms = 0;
  CHECK(!machine.commit().suspect());
  CHECK(!machine.look().repair_ms);
}

TEST_CASE(
    "a clock that was always wrong is proven so by peers: a repair, and right time after it") {
  Machine machine(std::nullopt);
  machine.off_ms = kTenYears;
  CHECK(!machine.commit().suspect());
  machine.pass(seconds(60));
  machine.peers_say(0);
  const ClockVerdict repair = machine.commit();
  REQUIRE(repair.repair_ms);
  CHECK(*repair.repair_ms == -kTenYears);
  CHECK(repair.time == machine.truth());
  CHECK(repair.suspect());
  machine.pass(seconds(60));
  const ClockVerdict after = machine.commit();
  CHECK(after.suspect());
  CHECK(!after.repair_ms);
  CHECK(after.time == machine.truth());
  machine.off_ms = 0;
  CHECK(!machine.commit().suspect());
  CHECK(machine.look().time == machine.truth());
}

TEST_CASE("a clock ten years ahead that was set back is doubted until peers vouch for it") {
  Machine machine(std::nullopt);
  machine.off_ms = kTenYears;
  machine.commit();
  machine.off_ms = 0;
  machine.pass(seconds(5));
  const ClockVerdict alone = machine.commit();
  CHECK(alone.doubt == ClockDoubt::kBeforeLastCommit);
  CHECK(alone.time.ms == machine.truth().ms + kTenYears);
  machine.peers_say(1000);
  const ClockVerdict repair = machine.commit();
  CHECK(!repair.suspect());
  REQUIRE(repair.repair_ms);
  CHECK(*repair.repair_ms == -kTenYears);
  CHECK(repair.time == machine.truth());
  CHECK(!machine.look().repair_ms);
}

TEST_CASE("a clock set back by up to ten minutes among peers is doubted, and repairs nothing") {
  for (const std::int64_t back :
       {limits::kClockBackMs + 10001, std::int64_t{300000}, limits::kClockPeersMs - 1000}) {
    CAPTURE(back);
    Machine machine(std::nullopt);
    machine.peers_say(0);
    REQUIRE(!machine.commit().suspect());
    machine.off_ms = -back;
    for (int i = 0; i < 100; ++i) {
      machine.pass(seconds(10));
      machine.peers_say(0);
      const ClockVerdict verdict = machine.commit();
      REQUIRE(verdict.doubt == ClockDoubt::kBeforeLastCommit);
      REQUIRE(!verdict.repair_ms);
      REQUIRE(!verdict.new_line);
      REQUIRE(verdict.time == machine.truth());
    }
    // It has caught up when nothing was stamped for as long.
    machine.pass(milliseconds(back));
    machine.peers_say(0);
    CHECK(!machine.look().suspect());
    CHECK(!machine.look().repair_ms);
  }
}

TEST_CASE("a clock ahead of peers by less than ten minutes that is set right repairs nothing") {
  Machine machine(std::nullopt);
  machine.off_ms = limits::kClockPeersMs - 1000;
  machine.peers_say(0);
  REQUIRE(!machine.commit().suspect());
  machine.off_ms = 0;
  machine.pass(seconds(10));
  CHECK(machine.commit().suspect());
  CHECK(!machine.look().repair_ms);
  // Peers that move a little later show that the stamps were beyond what can be right.
  machine.peers_say(-2000);
  const ClockVerdict repair = machine.look();
  CHECK(!repair.suspect());
  REQUIRE(repair.repair_ms);
  CHECK(*repair.repair_ms == -limits::kClockPeersMs + 1000);
}

TEST_CASE("a doubted clock set right by less than ten minutes among peers repairs nothing") {
  Machine machine(WallTime{kNow.ms - 300000});
  machine.off_ms = -machine.truth().ms;
  CHECK(machine.commit().suspect());  // on a line five minutes behind
  machine.off_ms = 0;
  machine.peers_say(0);
  const ClockVerdict right = machine.commit();
  CHECK(!right.suspect());
  CHECK(!right.repair_ms);
  CHECK(right.new_line);
  CHECK(right.time == machine.truth());
}

TEST_CASE("peers that confirm a clock begin a new line at every stamp") {
  Machine machine(std::nullopt);
  machine.commit();
  machine.pass(seconds(60));
  CHECK(!machine.look().new_line);
  machine.peers_say(1000);
  CHECK(machine.look().new_line);
  machine.off_ms = kTenYears;
  CHECK(machine.look().suspect());
  CHECK(!machine.look().new_line);
}

TEST_CASE("where a repair cannot be made the line goes on, suspect") {
  Machine machine(std::nullopt);
  machine.off_ms = kTenYears;
  machine.commit();
  machine.off_ms = 0;
  machine.pass(seconds(5));
  machine.peers_say(0);
  const ClockVerdict repair = machine.look();
  REQUIRE(repair.repair_ms);
  const ClockVerdict instead = machine.judge.unrepaired(machine.reading(), repair);
  CHECK(instead.doubt == ClockDoubt::kUnsettled);
  CHECK(instead.time.ms == machine.truth().ms + kTenYears);
  CHECK(!instead.new_line);
  machine.judge.follow(machine.reading(), instead);
  CHECK(machine.look().repair_ms);
}

TEST_CASE("a boot in 1970 is repaired when the clock is set, by as much as time was behind") {
  Machine machine(WallTime{kNow.ms - 30 * kDay});  // a month without power
  machine.off_ms = -machine.truth().ms;
  CHECK(machine.commit().doubt == ClockDoubt::kBeforeBuild);
  machine.pass(seconds(40));
  CHECK(machine.commit().time.ms == machine.truth().ms - 30 * kDay);
  machine.off_ms = 0;
  const ClockVerdict repair = machine.commit();
  CHECK(!repair.suspect());
  REQUIRE(repair.repair_ms);
  CHECK(*repair.repair_ms == 30 * kDay);
  CHECK(repair.time == machine.truth());
}

TEST_CASE("a clock that comes back after an hour behind needs no repair") {
  Machine machine(std::nullopt);
  machine.commit();
  machine.off_ms = -3600000;
  machine.pass(seconds(30));
  CHECK(machine.commit().suspect());
  machine.off_ms = 0;
  machine.pass(seconds(30));
  const ClockVerdict back = machine.commit();
  CHECK(!back.suspect());
  CHECK(!back.repair_ms);
  CHECK(back.time == machine.truth());
}

TEST_CASE("a believed clock that steps forward begins a new line and repairs nothing") {
  Machine machine(std::nullopt);
  machine.off_ms = -30 * kDay;
  machine.commit();
  machine.off_ms = 0;
  const ClockVerdict step = machine.commit();
  CHECK(!step.suspect());
  CHECK(step.new_line);
  CHECK(!step.repair_ms);
}

TEST_CASE("a clock that swings is repaired once in ten minutes and is suspect in between") {
  Machine machine(std::nullopt);
  machine.commit();
  int repairs = 0;
  for (int i = 0; i < 120; ++i) {
    machine.pass(seconds(10));
    machine.off_ms = i % 2 == 0 ? kTenYears : 0;
    machine.judge.hear(std::nullopt);
    machine.peers_say(machine.off_ms);  // who swing with it
    if (machine.commit().repair_ms) ++repairs;
  }
  CHECK(repairs >= 1);
  CHECK(repairs <= 2);
}

TEST_CASE("a verdict that is not followed leaves no trace") {
  Machine machine(kNow);
  machine.off_ms = -3600000;
  const ClockVerdict first = machine.look();
  machine.pass(seconds(1));
  machine.pass(Duration{} - seconds(1));
  const ClockVerdict second = machine.look();
  CHECK(first.time == second.time);
  CHECK(first.doubt == second.doubt);
}

TEST_CASE("clocks at the ends of what fits are judged without overflow") {
  for (const std::int64_t wall : {INT64_MIN, INT64_MAX, std::int64_t{0}}) {
    ClockJudge judge({.built = kBuilt, .last_commit = WallTime{INT64_MAX / 2}, .now = {}});
    judge.hear(PeerClock{kNow, 3});
    const ClockVerdict verdict = judge.judge({{wall}, {}});
    CHECK(verdict.suspect());
    CHECK(verdict.time == kNow);
  }
}
