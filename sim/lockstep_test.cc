// Lanes, and hosts in lockstep: what is due when, in which order it is carried out, and that the
// number of threads is not to be seen.
#include "sim/lockstep.h"

#include <doctest/doctest.h>

#include <atomic>
#include <string>
#include <vector>

using ebb::Bytes;
using ebb::Instant;
using ebb::microseconds;
using ebb::milliseconds;
using ebb::Rng;
using ebb::seconds;
using ebb::mesh::Input;
using ebb::mesh::LinkId;
using ebb::mesh::LinkUp;
using ebb::mesh::StreamBytes;
using ebb::sim::Access;
using ebb::sim::EventQueue;
using ebb::sim::FaultCounts;
using ebb::sim::HostIndex;
using ebb::sim::Lane;
using ebb::sim::LaneListener;
using ebb::sim::Lockstep;
using ebb::sim::LogSpan;
using ebb::sim::Network;
using ebb::sim::NetworkOptions;
using ebb::sim::WorkerPool;

namespace {

Instant at_ms(std::int64_t ms) { return Instant{} + milliseconds(ms); }

NetworkOptions plain() {
  NetworkOptions options;
  options.cuts = false;
  return options;
}

// Hosts that pass on what they get, to all they are connected with, a bounded number of times.
class Rig : public LaneListener {
 public:
  Rig(std::size_t hosts, std::size_t threads)
      : network_(
            network_queue_, Rng(7), plain(), hosts, counts_,
            [this](HostIndex host, Input input) { lockstep_.deliver(host, std::move(input)); }),
        lockstep_(network_queue_, network_, *this, milliseconds(10), threads) {
    for (HostIndex host = 0; host < hosts; ++host) {
      network_.set_access(host, Access{milliseconds(5), milliseconds(3), 0, 0, 0});
      heard.emplace_back();
      links_.emplace_back();
      lockstep_.add_lane([this, host](Input input) { take(host, std::move(input)); });
    }
    for (HostIndex host = 0; host < hosts; ++host) {
      lockstep_.act(host, [&] { lockstep_.lane(host).host_up(host); });
    }
  }

  void dial(HostIndex from, HostIndex to, std::uint64_t link) {
    lockstep_.act(
        from, [&] { lockstep_.lane(from).dial(from, LinkId{link}, network_.current_address(to)); });
  }

  Lockstep& lockstep() { return lockstep_; }
  std::vector<std::vector<std::string>> heard;  // by each host, with its time
  std::vector<std::string> told;                // to the listener, in its order

 private:
  void committed(Instant now, HostIndex host, const std::vector<LogSpan>& spans) override {
    told.push_back(std::to_string(now.us) + " " + std::to_string(host) + " " +
                   std::to_string(spans.size()));
  }
  void trouble(HostIndex host, const std::string& text) override {
    told.push_back(std::to_string(host) + " " + text);
  }

  void take(HostIndex host, Input input) {
    Lane& lane = lockstep_.lane(host);
    const std::string now = std::to_string(lane.queue().now().us);
    if (const auto* up = std::get_if<LinkUp>(&input)) {
      links_[host].push_back(up->link);
      heard[host].push_back(now + " up");
      lane.send(host, up->link, Bytes{static_cast<std::uint8_t>(host), 6}, false);
    } else if (auto* bytes = std::get_if<StreamBytes>(&input)) {
      heard[host].push_back(now + " " + std::to_string(bytes->bytes.size()));
      const std::uint8_t left = bytes->bytes.back();
      lane.trouble(host, "at " + now);
      if (left == 0) return;
      for (const LinkId link : links_[host])
        lane.send(host, link,
                  Bytes{static_cast<std::uint8_t>(host), static_cast<std::uint8_t>(left - 1)},
                  false);
    } else {
      heard[host].push_back(now + " other");
    }
  }

  EventQueue network_queue_;
  FaultCounts counts_;
  Network network_;
  Lockstep lockstep_;
  std::vector<std::vector<LinkId>> links_;
};

std::vector<std::vector<std::string>> ring(std::size_t threads, std::vector<std::string>& told) {
  constexpr HostIndex kHosts = 24;
  Rig rig(kHosts, threads);
  for (HostIndex host = 0; host < kHosts; ++host)
    rig.dial(host, (host + 1) % kHosts, 1);
  rig.lockstep().run_until(at_ms(500));
  told = rig.told;
  return rig.heard;
}

}  // namespace

TEST_CASE("a pool does each piece of work once, and what it wrote is seen afterwards") {
  for (const std::size_t threads : {std::size_t{1}, std::size_t{2}, std::size_t{5}}) {
    WorkerPool pool(threads);
    CHECK(pool.threads() == threads);
    std::vector<int> done(1000, 0);
    for (int round = 1; round <= 50; ++round) {
      pool.each(done.size(), [&](std::size_t i) { ++done[i]; });
      CHECK(done == std::vector<int>(done.size(), round));
    }
    pool.each(0, [&](std::size_t) { done.clear(); });
    CHECK(done.size() == 1000);
  }
}

TEST_CASE("a pool that rests until its threads sleep works on") {
  WorkerPool pool(3);
  std::atomic<int> done = 0;
  const std::function<void(std::size_t)> spin = [&](std::size_t) {
    for (int i = 0; i < 200000; ++i)
      done.fetch_add(1, std::memory_order_relaxed);
  };
  // The others have nothing to do for longer than they look for it.
  pool.each(1, spin);
  pool.each(6, spin);
  CHECK(done.load() == 7 * 200000);
}

TEST_CASE("a lane goes through inputs and its own timers in order of time") {
  EventQueue network_queue;
  FaultCounts counts;
  Network network(network_queue, Rng(1), plain(), 2, counts, [](HostIndex, Input) {});
  std::vector<std::string> seen;
  Lane* self = nullptr;
  Lane lane(network, [&](Input input) {
    const auto& bytes = std::get<StreamBytes>(input);
    seen.push_back("input " + std::to_string(bytes.link.value) + " at " +
                   std::to_string(self->queue().now().us));
    if (bytes.link.value == 1) self->close(0, LinkId{2});
    self->queue().after(microseconds(1500), [&] {
      seen.push_back("timer at " + std::to_string(self->queue().now().us));
    });
  });
  self = &lane;
  CHECK_FALSE(lane.next().has_value());
  lane.queue().at(at_ms(2), [&] { seen.emplace_back("first timer"); });
  lane.push(at_ms(1), StreamBytes{LinkId{1}, {}});
  lane.push(at_ms(2), StreamBytes{LinkId{2}, {}});
  lane.push(at_ms(3), StreamBytes{LinkId{3}, {}});
  CHECK(lane.next() == at_ms(1));
  lane.run_until(at_ms(4));
  // What came for the link that it had closed before is not for it any more.
  CHECK(seen == std::vector<std::string>{"input 1 at 1000", "first timer", "timer at 2500",
                                         "input 3 at 3000"});
  CHECK(lane.next() == Instant{} + microseconds(4500));
  REQUIRE(lane.calls().size() == 1);
  CHECK(lane.calls()[0].at == at_ms(1));
  lane.settle();
  // Nothing is closed any more, and what is late comes now.
  lane.push(at_ms(1), StreamBytes{LinkId{2}, {}});
  lane.run_until(at_ms(5));
  CHECK(seen.back() == "timer at 4500");
  CHECK(seen[seen.size() - 2] == "input 2 at 3999");
}

TEST_CASE("what is due at the limit waits for the next call") {
  Rig rig(2, 1);
  std::vector<std::int64_t> ran;
  Lane& lane = rig.lockstep().lane(0);
  rig.lockstep().act(0, [&] {
    for (const std::int64_t ms : {5, 20, 40})
      lane.queue().at(at_ms(ms), [&ran, ms] { ran.push_back(ms); });
  });
  rig.lockstep().run_until(at_ms(20));
  CHECK(ran == std::vector<std::int64_t>{5});
  rig.lockstep().run_until(at_ms(21));
  CHECK(ran == std::vector<std::int64_t>{5, 20});
  rig.lockstep().run_until(at_ms(100));
  CHECK(ran == std::vector<std::int64_t>{5, 20, 40});
}

TEST_CASE("what is sent arrives after the latency, in whatever window that is") {
  Rig rig(2, 2);
  rig.dial(0, 1, 1);
  rig.lockstep().run_until(at_ms(60));
  REQUIRE(rig.heard[1].size() > 1);
  // Dialled at 0: 10 to 16 ms to get there, and as long back.
  const std::int64_t accepted = std::stoll(rig.heard[1][0]);
  CHECK(accepted >= 10000);
  CHECK(accepted <= 16000);
  const std::int64_t up = std::stoll(rig.heard[0][0]);
  CHECK(up >= accepted + 10000);
  CHECK(up <= accepted + 16000);
}

TEST_CASE("the number of threads is not to be seen in a run") {
  std::vector<std::string> told_alone;
  const auto alone = ring(1, told_alone);
  CHECK(told_alone.size() > 1000);
  for (const std::size_t threads : {std::size_t{2}, std::size_t{4}}) {
    std::vector<std::string> told;
    CHECK(ring(threads, told) == alone);
    CHECK(told == told_alone);
  }
}
