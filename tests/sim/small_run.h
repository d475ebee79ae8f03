// SmallRun: a few hosts on a simulated network, without faults and checkers but those that a test
// adds. For tests.
//
// Ownership: owns the hosts and all that they share.
// Threads:   not thread-safe; one test.
#pragma once

#include <doctest/doctest.h>

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sim/injector.h"

namespace ebb::sim {

class SmallRun : public Observer {
 public:
  static constexpr WallTime kStart{1767225600000};  // 2026-01-01T00:00:00Z

  // Hosts that do not run yet, in `dir`; `set_up` says what is special of each.
  SmallRun(std::size_t hosts, const std::string& dir,
           const std::function<void(Host::Setup&)>& set_up)
      : network_(queue_, Rng(1), {}, hosts, counts_, [this](HostIndex host, mesh::Input input) {
          hosts_[host]->deliver(std::move(input));
        }) {
    Rng rng(2);
    for (HostIndex index = 0; index < hosts; ++index) {
      Host::Setup setup;
      setup.index = index;
      setup.dir = dir + "/host" + std::to_string(index);
      setup.mesh.data.fill(7);
      setup.wall_at_start = kStart;
      setup.built = kStart;
      set_up(setup);
      const Host::World world{queue_, network_, trace_, *this, counts_};
      hosts_.push_back(std::make_unique<Host>(world, std::move(setup), rng.fork()));
    }
  }

  void trouble(HostIndex host, const std::string& text) override {
    FAIL_CHECK("host " << host << ": " << text);
  }

  Host& host(HostIndex index) { return *hosts_[index]; }
  void start(HostIndex index) { REQUIRE(hosts_[index]->start().ok()); }
  void run(Duration duration) {
    const Instant end = queue_.now() + duration;
    while (queue_.run_next(end)) {
    }
  }

 protected:
  EventQueue queue_;
  FaultCounts counts_;
  Trace trace_;
  Network network_;
  Hosts hosts_;
};

}  // namespace ebb::sim
