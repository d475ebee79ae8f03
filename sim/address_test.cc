// Hosts that get another address: what the others know of it afterwards.
#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/sim/small_run.h"
#include "tests/temp_dir.h"
#include "trust/hash.h"

using namespace ebb;
using namespace ebb::sim;

namespace {

constexpr std::size_t kHosts = 3;
constexpr HostIndex kMoves = 1;

class Few : public SmallRun {
 public:
  explicit Few(const std::string& dir)
      : SmallRun(kHosts, dir, [](Host::Setup& setup) {
          if (setup.index > 0) setup.peers = {Network::address(0)};
        }) {
    for (HostIndex index = 0; index < kHosts; ++index)
      start(index);
    faults_ = make_host_faults({queue_, network_, hosts_, counts_, trace_,
                                [this](HostIndex index) { start(index); }, [](HostIndex) {},
                                [](HostIndex) {}});
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
