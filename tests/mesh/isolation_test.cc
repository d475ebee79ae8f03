#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <vector>

#include "tests/mesh/rig.h"

namespace ebb::tests {
namespace {

constexpr std::size_t kPeers = 20;
constexpr std::size_t kBad = 1;  // the node that misbehaves
constexpr std::uint64_t kRate = 32000;
constexpr Duration kSample = milliseconds(2);
constexpr int kSeconds = EBB_ISOLATION_SECONDS;  // 30 in the fast build

// Twenty-one nodes that find their links themselves, all of 256 kbit/s each way. All but the bad
// one make an event a second.
class Fleet : public Rig {
 public:
  // `begin`: when the nodes start, which decides all that they choose at random.
  explicit Fleet(Duration begin = {}) {
    latency = milliseconds(10);
    rate = [](std::size_t, std::size_t) { return kRate; };
    for (std::size_t i = 0; i <= kPeers; ++i) {
      const std::size_t next = (i + 1) % (kPeers + 1);
      add_node(static_cast<std::uint8_t>(1 + i), {next, (i + 2) % (kPeers + 1)});
    }
    run_for(begin);
    for (std::size_t i = 0; i <= kPeers; ++i)
      start(i);
    run_for(seconds(20));
    // The first events find their trees.
    for (int round = 0; round < 4; ++round) {
      for (std::size_t i = 2; i <= kPeers; ++i)
        append(i, {"own", 1, 200});
      run_for(seconds(3));
    }
  }

  // The time in which 99 of 100 events are on all nodes but the bad one. `each_second` is what else
  // happens meanwhile.
  template <class Mischief>
  Duration p99(Mischief each_sample) {
    std::vector<Duration> times;
    std::vector<Pending> pending;
    const Instant begun = now();
    int sample = 0;
    while (now() - begun < seconds(kSeconds)) {
      // Spread over the second, so that they do not come as a burst.
      if (sample % 25 == 0) {
        const std::size_t author = 2 + static_cast<std::size_t>(sample / 25) % (kPeers - 1);
        append(author, {"own", 1, 200});
        const LogId log = store(author).own_log("own");
        pending.push_back({log, store(author).segments(log).size(), now(), {}});
      }
      each_sample(sample);
      run_for(kSample);
      ++sample;
      note_arrivals(pending, times);
    }
    REQUIRE(times.size() > static_cast<std::size_t>(kSeconds) * 15 * (kPeers - 2));
    std::sort(times.begin(), times.end());
    return times[times.size() * 99 / 100];
  }

 private:
  struct Pending {
    LogId log;
    std::size_t segments = 0;
    Instant made;
    std::vector<bool> there;
  };

  void note_arrivals(std::vector<Pending>& pending, std::vector<Duration>& times) {
    for (Pending& event : pending) {
      event.there.resize(kPeers + 1);
      for (std::size_t i = 0; i <= kPeers; ++i) {
        if (i == kBad || event.there[i] || store(i).segments(event.log).size() < event.segments) {
          continue;
        }
        event.there[i] = true;
        times.push_back(now() - event.made);
      }
    }
    std::erase_if(pending, [](const Pending& event) {
      return std::count(event.there.begin(), event.there.end(), true) == kPeers;
    });
  }
};

Duration undisturbed() {
  static const Duration alone = Fleet().p99([](int) {});
  return alone;
}

TEST_CASE("one of 20 peers reads 100 bytes a second: the others' p99 stays within twice") {
  const Duration alone = undisturbed();
  Fleet rig;
  rig.rate = [](std::size_t from, std::size_t to) {
    return from == kBad || to == kBad ? std::uint64_t{100} : kRate;
  };
  const Duration disturbed = rig.p99([](int) {});
  MESSAGE("p99 " << alone.ms() << " ms alone, " << disturbed.ms() << " ms with a slow peer");
  CHECK(disturbed <= alone * 2);
}

TEST_CASE("one of 20 peers makes ten times as many events: the others' p99 stays within twice") {
  const Duration alone = undisturbed();
  Fleet rig;
  const Duration disturbed = rig.p99([&rig](int sample) {
    if (sample % 50 == 0) rig.append(kBad, {"flood", 1, 200});
  });
  const LogId flood = rig.store(kBad).own_log("flood");
  MESSAGE("p99 " << alone.ms() << " ms alone, " << disturbed.ms() << " ms with ten times as many");
  const std::size_t made = static_cast<std::size_t>(kSeconds) * 10;
  CHECK(rig.store(kBad).segments(flood).size() >= made - 10);
  CHECK(rig.store(kPeers).segments(flood).size() >= made - 10);
  CHECK(disturbed <= alone * 2);
}

TEST_CASE("a peer that makes more events than links take delays the others by chunks alone") {
  const Duration alone = undisturbed();
  // How deep the trees are that a node finds is chance: the middle of three meshes.
  std::array<Duration, 3> disturbed;
  for (std::size_t i = 0; i < disturbed.size(); ++i) {
    Fleet rig(milliseconds(static_cast<std::int64_t>(i)));
    disturbed[i] = rig.p99([&rig](int sample) {
      if (sample % 4 == 0) rig.append(kBad, {"flood", 1, 200});
    });
    CHECK(rig.store(kBad).events() > static_cast<std::uint64_t>(kSeconds) * 100);
  }
  std::sort(disturbed.begin(), disturbed.end());
  MESSAGE("p99 " << alone.ms() << " ms alone, " << disturbed[0].ms() << ", " << disturbed[1].ms()
                 << " and " << disturbed[2].ms() << " ms with a flood");
  // Two chunks of 50 ms in the driver and one turn of the flood, on each of four links.
  CHECK(disturbed[1] <= alone + milliseconds(600));
}

}  // namespace
}  // namespace ebb::tests
