// FleetMeter: how events spread over a fleet and what that costs, counted while it happens. A
// measure, not a checker.
//
// Model:   an event is born when its author has committed it; it has reached a share of the devices
//          when so many of them have committed it, its author among them. Latencies are kept as a
//          histogram with eight steps for each doubling, so that their number does not matter.
// Units:   microseconds of virtual time; bytes as handed to the network, without headers of TCP
//          and IP.
// Threads: not thread-safe; owned by one run.
// Limits:  an event costs some 60 bytes.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include "core/ids.h"
#include "core/time.h"
#include "sim/options.h"
#include "store/types.h"

namespace ebb::sim {

// Counts of times, to an eighth of their size.
class TimeHistogram {
 public:
  void add(Duration time);
  std::uint64_t count() const { return count_; }
  // So many of a thousand are no longer; zero when empty.
  Duration permille(std::uint64_t part) const;
  // How many are no longer than the upper bound of each step, in order: (bound, count).
  std::vector<std::pair<Duration, std::uint64_t>> curve() const;

 private:
  static constexpr std::size_t kSteps = std::size_t{8} * 62;
  std::array<std::uint64_t, kSteps> steps_{};
  std::uint64_t count_ = 0;
  Duration longest_{};
};

inline constexpr std::array<std::uint64_t, 4> kReachPercents = {50, 90, 99, 100};

// Events of a log, in a row, that a device has committed.
struct LogSpan {
  LogId log;
  Seq from = 0, to = 0;
  bool own = false;  // it is the author
};
// Of the user's events; what the mesh says of itself is left out.
std::vector<LogSpan> spans_of(const store::CommitResult& result);

class FleetMeter {
 public:
  FleetMeter(std::vector<std::size_t> group_of_devices, std::size_t groups);

  void committed(Instant now, HostIndex device, const std::vector<LogSpan>& spans);
  void sent(HostIndex from, HostIndex to, std::size_t bytes);

  std::uint64_t events() const { return events_; }
  // Of a device: events that it holds, its own and others'.
  std::uint64_t held(HostIndex device) const { return held_[device]; }
  std::uint64_t made(HostIndex device) const { return made_[device]; }
  std::uint64_t deliveries() const { return deliveries_; }
  // Permille of all events that all devices of a group hold; 1000 before the first event.
  std::uint64_t complete(std::size_t group) const;
  std::uint64_t complete() const;
  std::uint64_t complete_worst() const;  // of the devices

  // Times from birth until so many percent of the devices had it, of the events that got there.
  const TimeHistogram& reach(std::size_t index) const { return reach_[index]; }
  const TimeHistogram& latency() const { return latency_; }
  const TimeHistogram& latency_of(std::size_t group) const { return group_latency_[group]; }
  std::uint64_t bytes_out(HostIndex device) const { return out_[device]; }
  std::uint64_t bytes_in(HostIndex device) const { return in_[device]; }
  // Between two groups, both ways; first <= second.
  std::uint64_t bytes_between(std::size_t first, std::size_t second) const;

 private:
  struct Event {
    Instant born;
    std::uint32_t devices = 0;  // that have it
    std::uint8_t reached = 0;   // of kReachPercents
  };
  void spread(Instant now, HostIndex device, Event& event);

  std::vector<std::size_t> group_of_;
  std::vector<std::size_t> group_sizes_;
  std::array<std::uint32_t, kReachPercents.size()> needed_{};
  std::map<LogId, std::vector<Event>> events_of_;
  std::uint64_t events_ = 0, deliveries_ = 0;
  std::vector<std::uint64_t> held_, made_, out_, in_;
  std::vector<std::uint64_t> group_held_;
  std::array<TimeHistogram, kReachPercents.size()> reach_;
  TimeHistogram latency_;
  std::vector<TimeHistogram> group_latency_;
  std::vector<std::uint64_t> between_;  // groups * groups
};

}  // namespace ebb::sim
