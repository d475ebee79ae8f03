// Hosts that get another address: what the others know of it afterwards.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "sim/injector.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::sim;

namespace {

constexpr WallTime kStart{1767225600000};  // 2026-01-01T00:00:00Z
constexpr std::size_t kHosts = 3;
constexpr HostIndex kMoves = 1;

class Few : public Observer {
 public:
  explicit Few(const std::string& dir)
      : network_(queue_, Rng(1), {}, kHosts, counts_, [this](HostIndex host, mesh::Input input) {
          hosts_[host]->deliver(std::move(input));
        }) {
    Rng rng(2);
    for (HostIndex index = 0; index < kHosts; ++index) {
      Host::Setup setup;
      setup.index = index;
      setup.dir = dir + "/host" + std::to_string(index);
      setup.mesh.data.fill(7);
      if (index > 0) setup.peers = {Network::address(0)};
      setup.wall_at_start = kStart;
      setup.built = kStart;
      const Host::World world{queue_, network_, trace_, *this, counts_};
      hosts_.push_back(std::make_unique<Host>(world, std::move(setup), rng.fork()));
      REQUIRE(hosts_.back()->start().ok());
    }
    faults_ = make_host_faults({queue_, network_, hosts_, counts_, trace_,
                                [this](HostIndex host) { REQUIRE(hosts_[host]->start().ok()); },
                                [](HostIndex) {}, [](HostIndex) {}});
  }

  void opened(HostIndex, const Storage&) override {}
  void committed(HostIndex, const store::CommitResult&) override {}
  void acknowledged(HostIndex, const store::AppendBatch&,
                    const std::vector<store::DotRange>&) override {}
  void heard_time(HostIndex, WallTime) override {}
  void datagram_in(HostIndex, const std::string&, ByteView) override {}
  void datagram_out(HostIndex, const std::string&, ByteView) override {}
  void stepped(HostIndex) override {}
  void trouble(HostIndex host, const std::string& text) override {
    FAIL_CHECK("host " << host << ": " << text);
  }

  void run(Duration duration) {
    const Instant end = queue_.now() + duration;
    while (queue_.run_next(end)) {
    }
  }
  void change_address(bool while_it_runs) {
    PlannedFault fault;
    fault.kind = Fault::kAddressChange;
    fault.host = kMoves;
    fault.duration = seconds(5);
    fault.amount = while_it_runs ? 0 : 1;
    REQUIRE(faults_->inject(fault));
  }
  bool moves() const { return hosts_[kMoves]->running(); }
  const std::string& address() const { return network_.current_address(kMoves); }
  // What the host's store says of the one that moves.
  std::vector<std::string> said(HostIndex host) const {
    const auto rows = hosts_[host]->storage().store()->presences();
    REQUIRE(rows.ok());
    for (const store::PresenceRow& row : *rows) {
      if (row.device == hosts_[kMoves]->device()) return row.said.addresses;
    }
    return {};
  }

 private:
  EventQueue queue_;
  FaultCounts counts_;
  Trace trace_;
  Network network_;
  Hosts hosts_;
  std::unique_ptr<Injector> faults_;
};

}  // namespace

TEST_CASE("a host that gets another address tells all others, whether or not it starts again") {
  bool while_it_runs = true;
  SUBCASE("while it runs") {}
  SUBCASE("by a start") { while_it_runs = false; }
  REQUIRE(trust::crypto_ready().ok());
  const tests::TempDir dir;
  Few few(dir.path().string());
  few.run(seconds(120));
  for (HostIndex host = 0; host < kHosts; ++host)
    REQUIRE(few.said(host) == std::vector<std::string>{few.address()});
  const std::string before = few.address();
  few.change_address(while_it_runs);
  CHECK(few.moves() == while_it_runs);
  CHECK(few.address() != before);
  few.run(seconds(900));
  for (HostIndex host = 0; host < kHosts; ++host)
    CHECK(few.said(host) == std::vector<std::string>{few.address()});
}
