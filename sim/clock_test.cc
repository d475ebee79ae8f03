// A fleet in which one clock is ten years ahead, with the engine, the store and the network of the
// simulator.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/ids.h"
#include "core/limits.h"
#include "store/reader.h"
#include "tests/sim/small_run.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::sim;

namespace {

constexpr std::int64_t kDay = std::int64_t{24} * 3600 * 1000;
constexpr std::int64_t kTenYears = 3650 * kDay;
constexpr WallTime kStart = SmallRun::kStart;
constexpr std::size_t kHosts = 20;
constexpr HostIndex kWrong = 0;
// What a clock is mended by comes from peers: half a round trip may have been all one way. A peer
// says milliseconds, of a clock that reads milliseconds.
constexpr std::int64_t kEstimateMs =
    (NetworkOptions{}.latency_max + NetworkOptions{}.jitter).ms() + 2;
// An event is stamped when its commit begins, behind the one that is under way.
constexpr std::int64_t kStampedWithinMs = 2 * DiskOptions{}.commit_max.ms();

class Fleet : public SmallRun {
 public:
  explicit Fleet(const std::string& dir)
      : SmallRun(kHosts, dir, [](Host::Setup& setup) {
          setup.peers = {Network::address((setup.index + 1) % kHosts),
                         Network::address((setup.index + 7) % kHosts)};
          if (setup.index == kWrong) setup.wall_at_start.ms += kTenYears;
          setup.built.ms -= kDay;
          setup.real = true;
        }) {}

  void committed(HostIndex host, const store::CommitResult& result) override {
    for (const store::HeadAdvance& advance : result.advances) {
      if (!advance.own_append || host == kWrong) continue;
      ahead_max = std::max(ahead_max, advance.head.hlc.wall().ms - wall().ms);
    }
    if (result.begun) ++incarnations;
  }
  void acknowledged(HostIndex host, const store::AppendBatch& batch,
                    const std::vector<store::DotRange>&) override {
    // What a host says of itself is no counter of anybody's.
    if (batch.topic == kControlTopic) return;
    acknowledged_items += batch.items.size();
    if (host == kWrong) wrong_asked.push_back(asked_);
  }
  WallTime wall() const { return {kStart.ms + (queue_.now() - Instant{}).ms()}; }

  void run_appending(Duration duration) {
    const Instant end = queue_.now() + duration;
    for (Instant at = queue_.now(); at < end; at = at + seconds(1)) {
      queue_.at(at, [this] {
        asked_ = wall().ms;
        for (const auto& host : hosts_) {
          store::AppendBatch batch;
          batch.items = {store::CounterAdd{"c", 1}};
          host->append(batch);
        }
      });
    }
    run(duration);
  }
  bool agree() {
    for (const auto& host : hosts_) {
      if (host->storage().store()->state_digest() != hosts_[0]->storage().store()->state_digest()) {
        return false;
      }
    }
    return true;
  }

  std::int64_t ahead_max = INT64_MIN;
  std::uint64_t incarnations = 0;
  std::uint64_t acknowledged_items = 0;
  // Of the host whose clock is wrong: when each of its events was asked for, by the right time.
  std::vector<std::int64_t> wrong_asked;

 private:
  std::int64_t asked_ = 0;
};

std::int64_t number(const store::Reader& reader, const std::string& sql) {
  const auto result = reader.sql(sql, {});
  REQUIRE(result.ok());
  return std::get<std::int64_t>(result->rows.at(0).at(0));
}

// From the earliest to the latest, of some events: how far their corrected times are from when they
// were asked for.
struct Errors {
  std::int64_t least = INT64_MAX, most = INT64_MIN;
  std::size_t events = 0;
  void add(std::int64_t error) {
    least = std::min(least, error);
    most = std::max(most, error);
    ++events;
  }
};

// Of a device's events, which were asked for at these times: those that it stamped years ahead, and
// those since then.
std::pair<Errors, Errors> errors_of(const store::Reader& reader, const DeviceId& device,
                                    const std::vector<std::int64_t>& asked) {
  const std::string half = std::to_string(kStart.ms + kTenYears / 2);
  const auto result =
      reader.sql("SELECT ts > " + half + ", ts_corrected FROM events WHERE device = '" +
                     device_text(device) + "' AND topic <> '_ebb' ORDER BY ts < " + half + ", ts",
                 {});
  REQUIRE(result.ok());
  REQUIRE(result->rows.size() == asked.size());
  std::pair<Errors, Errors> errors;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const bool was_ahead = std::get<std::int64_t>(result->rows[i].at(0)) != 0;
    const std::int64_t corrected = std::get<std::int64_t>(result->rows[i].at(1));
    (was_ahead ? errors.first : errors.second).add(corrected - asked[i]);
  }
  return errors;
}

}  // namespace

TEST_CASE("one clock ten years ahead among 20 is mended, and pulls the others by 60 s at most") {
  REQUIRE(trust::crypto_ready().ok());
  const tests::TempDir dir;
  Fleet fleet(dir.path().string());
  fleet.start(kWrong);
  fleet.run_appending(seconds(5));  // alone, and believed
  for (HostIndex index = 1; index < kHosts; ++index)
    fleet.start(index);
  fleet.run_appending(seconds(60));
  fleet.run(seconds(60));

  CHECK(fleet.agree());
  CHECK(fleet.incarnations == 1);
  CHECK(fleet.ahead_max <= limits::kRemoteAheadMs);
  CHECK(fleet.acknowledged_items >= 60 * kHosts);
  Host& reads = fleet.host(9);
  reads.stop(StopKind::kClean);  // which writes its state
  const auto reader = store::Reader::open(dir.path().string() + "/host9");
  REQUIRE(reader.ok());
  const auto total = (*reader)->counter(kDefaultTopic, "c");
  REQUIRE(total.ok());
  CHECK(static_cast<std::uint64_t>(*total) == fleet.acknowledged_items);
  CHECK(number(**reader, "SELECT max(ts) FROM events") > kStart.ms + kTenYears);
  CHECK(number(**reader, "SELECT max(ts_corrected) FROM events") <=
        fleet.wall().ms + limits::kRemoteAheadMs);
  const auto [ahead, since] = errors_of(**reader, fleet.host(kWrong).device(), fleet.wrong_asked);
  MESSAGE("of " << ahead.events << " events that were stamped ten years ahead " << ahead.least
                << " to " << ahead.most << " ms from when they were asked for, of " << since.events
                << " since then " << since.least << " to " << since.most << " ms");
  CHECK(ahead.events >= 5);
  CHECK(ahead.least >= -kEstimateMs);
  CHECK(ahead.most <= kEstimateMs + kStampedWithinMs);
  // Its stamps follow those that it has pulled, as everybody's do.
  CHECK(since.events >= 50);
  CHECK(since.least >= -kEstimateMs);
  CHECK(since.most <= limits::kRemoteAheadMs);
}
