// The real clocks, which exist only from this room on.
//
// Threads: any thread.
#pragma once

#include "core/time.h"

namespace ebb::node {

// Never goes back; the origin is the machine's start.
Instant monotonic_now();
// What the machine's clock claims.
WallTime wall_now();

}  // namespace ebb::node
