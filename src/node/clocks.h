// The real clocks, which exist only from this room on.
//
// Threads: any thread.
#pragma once

#include "core/clock_judge.h"
#include "core/time.h"
#include "mesh/types.h"

namespace ebb::node {

// Never goes back, and goes on while the machine sleeps; the origin is the machine's start.
Instant monotonic_now();
// What the machine's clock claims.
WallTime wall_now();
// Both.
ClockReading clock_reading();
// The calendar and clock of the place.
mesh::LocalTime local_now();
// Until the next minute of that clock begins.
Duration until_next_minute();

// For people, to the second: "2026-01-31 12:00:00 UTC".
std::string utc_text(WallTime when);

}  // namespace ebb::node
