// A report of a fleet as one page of HTML: plots as inline SVG, each with a table of its numbers.
// It asks no network for anything, has no script, and follows light and dark.
//
// Threads: a pure function; any thread.
// Spec:    docs/planning.md
#pragma once

#include <string>

#include "sim/fleet_run.h"

namespace ebb::sim_tool {

std::string fleet_page(const sim::FleetReport& report);

}  // namespace ebb::sim_tool
