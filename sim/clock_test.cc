// A fleet in which one clock is ten years ahead, with the engine, the store and the network of the
// simulator.
#include <doctest/doctest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/limits.h"
#include "sim/host.h"
#include "store/reader.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::sim;

namespace {

constexpr std::int64_t kDay = std::int64_t{24} * 3600 * 1000;
constexpr std::int64_t kTenYears = 3650 * kDay;
constexpr WallTime kStart{1767225600000};  // 2026-01-01T00:00:00Z
constexpr std::size_t kHosts = 20;
constexpr HostIndex kWrong = 0;

class Fleet : public Observer {
 public:
  explicit Fleet(const std::string& dir)
      : network_(queue_, Rng(1), {}, kHosts, counts_, [this](HostIndex host, mesh::Input input) {
          hosts_[host]->deliver(std::move(input));
        }) {
    Rng rng(2);
    for (HostIndex index = 0; index < kHosts; ++index) {
      Host::Setup setup;
      setup.index = index;
      setup.dir = dir + "/host" + std::to_string(index);
      setup.mesh.data.fill(7);
      setup.peers = {Network::address((index + 1) % kHosts),
                     Network::address((index + 7) % kHosts)};
      setup.wall_at_start = {kStart.ms + (index == kWrong ? kTenYears : 0)};
      setup.built = {kStart.ms - kDay};
      setup.real = true;
      const Host::World world{queue_, network_, trace_, *this, counts_};
      hosts_.push_back(std::make_unique<Host>(world, std::move(setup), rng.fork()));
    }
  }

  void opened(HostIndex, const Storage&) override {}
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
  void heard_time(HostIndex, ebb::WallTime) override {}
  void datagram_in(HostIndex, const std::string&, ebb::ByteView) override {}
  void datagram_out(HostIndex, const std::string&, ebb::ByteView) override {}
  void stepped(HostIndex) override {}
  void trouble(HostIndex host, const std::string& text) override {
    FAIL_CHECK("host " << host << ": " << text);
  }

  WallTime wall() const { return {kStart.ms + (queue_.now() - Instant{}).ms()}; }
  Host& host(HostIndex index) { return *hosts_[index]; }

  void start(HostIndex index) { REQUIRE(hosts_[index]->start().ok()); }
  void run(Duration duration, bool append) {
    const Instant end = queue_.now() + duration;
    for (Instant at = queue_.now(); append && at < end; at = at + seconds(1)) {
      queue_.at(at, [this] {
        for (const auto& host : hosts_) {
          store::AppendBatch batch;
          batch.items = {store::CounterAdd{"c", 1}};
          host->append(batch);
        }
      });
    }
    while (queue_.run_next(end)) {
    }
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

 private:
  EventQueue queue_;
  FaultCounts counts_;
  Trace trace_;
  Network network_;
  std::vector<std::unique_ptr<Host>> hosts_;
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
  fleet.run(seconds(5), true);  // alone, and believed
  for (HostIndex index = 1; index < kHosts; ++index)
    fleet.start(index);
  fleet.run(seconds(60), true);
  fleet.run(seconds(60), false);

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
  CHECK(number(**reader, "SELECT min(ts_corrected) FROM events") >= kStart.ms);
}
