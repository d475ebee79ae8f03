// The real clocks, which exist only from this room on.
//
// Threads: any thread.
#pragma once

#include "core/time.h"
#include "mesh/types.h"

namespace ebb::node {

// Never goes back; the origin is the machine's start.
Instant monotonic_now();
// What the machine's clock claims.
WallTime wall_now();
// The calendar and clock of the place.
mesh::LocalTime local_now();
// Until the next minute of that clock begins.
Duration until_next_minute();

}  // namespace ebb::node
