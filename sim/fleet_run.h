// FleetRun: a planned fleet, run: the real engine on the simulated network, stores in memory,
// stand-in signatures, and a meter where a checked run has checkers.
//
// Model:     devices start within the first minute; those with a duty cycle stand still between
//            their windows, as a machine that sleeps. Partitions come and go as planned. After the
//            fleet's duration no event is made, and the run ends when all is everywhere or when
//            the time to settle is over. The same fleet and seed give the same report.
// Ownership: owns everything of the run.
// Threads:   not thread-safe; run() is called once, and uses threads of its own (sim/lockstep.h),
//            on whose number the report does not depend.
// Limits:    kFleetDevices.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sim/fleet.h"
#include "sim/fleet_meter.h"
#include "sim/host.h"
#include "sim/lockstep.h"

namespace ebb::sim {

// Permille, at one moment.
struct CompletenessSample {
  Instant at;
  std::uint64_t all = 0;
  std::uint64_t worst = 0;            // of the devices
  std::vector<std::uint64_t> groups;  // of each
};

struct LinkUse {
  std::size_t first = 0, second = 0;  // groups, first <= second
  std::uint64_t open_permille = 0;    // links open at a time, on average
  std::uint64_t bytes = 0;
};

struct KindUse {
  std::string name;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
};

struct FleetReport {
  FleetReport(Fleet run, FleetMeter measured) : fleet(std::move(run)), meter(std::move(measured)) {}

  Fleet fleet;
  FleetMeter meter;
  Duration ran_for{};      // the time to settle included
  Duration complete_at{};  // after the fleet's duration; when `complete`
  bool complete = false;   // all events on all devices at the end
  std::vector<CompletenessSample> samples;
  std::vector<LinkUse> links;
  std::vector<KindUse> kinds;                // what engines sent, most bytes first
  std::vector<Duration> awake;               // of each device
  std::uint64_t received = 0, repeated = 0;  // events, by engines: new ones and others
  std::uint64_t steps = 0;
  std::uint64_t lost_packets = 0;
  Hash trace;
  std::vector<std::string> troubles;  // what should not happen: a defect
};

class FleetRun : private LaneListener {
 public:
  explicit FleetRun(Fleet fleet, std::size_t threads = 1);
  ~FleetRun() override;
  FleetRun(const FleetRun&) = delete;
  FleetRun& operator=(const FleetRun&) = delete;
  // `progress`: how much of the time is over, now and then.
  FleetReport run(const std::function<void(Instant now, Duration all)>& progress = {});

 private:
  struct Device {
    std::size_t group = 0;
    std::optional<CutId> asleep;
    Instant awake_since;
    Duration awake{};
    Duration phase{};
    std::uint64_t serial = 0;
    Rng rng{0};  // of its events
  };

  void committed(Instant now, HostIndex host, const std::vector<LogSpan>& spans) override {
    meter_.committed(now, host, spans);
  }
  void trouble(HostIndex host, const std::string& text) override;

  const FleetGroup& group_of(HostIndex host) const { return fleet_.groups[devices_[host].group]; }
  void make_network();
  void make_hosts(Rng rng);
  void schedule();
  void start(HostIndex host);
  void tell_time(HostIndex host);
  void each_minute();
  void begin_partition(const FleetPartition& partition);
  void keep_schedule(HostIndex host);  // wakes or sleeps as its group says, and again later
  bool is_window_open(const FleetGroup& group) const;
  void fall_asleep(HostIndex host);
  void wake(HostIndex host);
  void make_events(HostIndex host);  // in the host's lane
  store::AppendBatch event_of(HostIndex host);
  void run_until(Instant limit);
  void sample();
  void sample_links();
  FleetReport report(bool complete, Instant complete_at);

  Fleet fleet_;
  EventQueue queue_;  // of what concerns more than one host
  EventQueue network_queue_;
  FaultCounts counts_;
  Rng rng_;
  FleetMeter meter_;
  Network network_;
  Lockstep lockstep_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<Device> devices_;
  std::vector<CompletenessSample> samples_;
  std::vector<std::uint64_t> links_seen_;  // groups * groups, summed over samples
  std::uint64_t link_samples_ = 0;
  std::vector<std::string> troubles_;
  bool makes_events_ = true;
};

}  // namespace ebb::sim
