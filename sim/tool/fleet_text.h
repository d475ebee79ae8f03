// A report of a fleet as tables for a terminal, and as JSON for programs.
//
// Threads: pure functions; any thread.
// Spec:    docs/planning.md
#pragma once

#include <string>

#include "sim/fleet_run.h"

namespace ebb::sim_tool {

std::string fleet_tables(const sim::FleetReport& report, bool colours);
std::string fleet_json(const sim::FleetReport& report);

// "12 of 14 events ...": the first line of every form of the report.
std::string verdict_sentence(const sim::FleetReport& report);
// "1.2 MiB", of a figure that may have decimals.
std::string bytes_words(double bytes);

}  // namespace ebb::sim_tool
