// A fleet in which one clock is ten years ahead, with the engine, the store and the network of the
// simulator.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

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
  void acknowledged(HostIndex, const store::AppendBatch& batch,
                    const std::vector<store::DotRange>&) override {
    // What a host says of itself is no counter of anybody's.
    if (batch.topic != kControlTopic) acknowledged_items += batch.items.size();
  }
  WallTime wall() const { return {kStart.ms + (queue_.now() - Instant{}).ms()}; }

  void run_appending(Duration duration) {
    const Instant end = queue_.now() + duration;
    for (Instant at = queue_.now(); at < end; at = at + seconds(1)) {
      queue_.at(at, [this] {
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
};

std::int64_t number(const store::Reader& reader, const std::string& sql) {
  const auto result = reader.sql(sql, {});
  REQUIRE(result.ok());
  return std::get<std::int64_t>(result->rows.at(0).at(0));
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
  // Corrected by an estimate, which is good to a round trip.
  CHECK(number(**reader, "SELECT min(ts_corrected) FROM events") >= kStart.ms - 100);
}
