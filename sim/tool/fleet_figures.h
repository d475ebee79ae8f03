// What a report of a fleet says, as numbers with names, computed once for tables, JSON and pages.
//
// Units:   bytes are those handed to the network, without headers of TCP and IP; a day is 24 hours
//          of the run, the time to settle included; permille of all events.
// Threads: pure functions; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sim/fleet_run.h"

namespace ebb::sim_tool {

// Times from an event's birth until so many percent of all devices had it, over all events.
struct ReachFigures {
  std::uint64_t percent = 0;
  std::uint64_t events = 0;  // that got there; the times are theirs
  Duration p50{}, p90{}, p99{}, longest{};
};

struct GroupFigures {
  std::string name;
  std::uint64_t devices = 0;
  std::uint64_t events = 0;         // made
  std::uint64_t complete = 0;       // permille, at the end
  Duration p50{}, p99{};            // until a device of it had an event of another
  double out_per_day = 0;           // bytes, of a device, on average
  double in_per_day = 0;            // the same
  double most_per_day = 0;          // in and out, of the busiest device
  double awake_percent = 0;         // of the time
  double bytes_per_awake_hour = 0;  // in and out, of a device
};

struct LinkFigures {
  std::string first, second;  // groups
  double open = 0;            // links at a time, on average
  double bytes_per_day = 0;   // of all of them
  double bytes_per_link_day = 0;
};

struct KindFigures {
  std::string name;
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;
  double percent = 0;
};

struct FleetFigures {
  std::uint64_t devices = 0, events = 0, deliveries = 0;
  double days = 0;
  double copies = 0;  // of an event that a device gets, on average; 1: no repeats
  double bytes = 0;   // in all
  std::vector<ReachFigures> reach;
  std::vector<GroupFigures> groups;
  std::vector<LinkFigures> links;
  std::vector<KindFigures> kinds;
};

FleetFigures figures_of(const sim::FleetReport& report);

}  // namespace ebb::sim_tool
