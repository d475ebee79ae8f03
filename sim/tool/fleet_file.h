// A fleet as a user writes it: TOML to sim/fleet.h.
//
// Threads: pure functions; any thread.
// Errors:  kMalformed and kInvalidArgument; the detail names file, line and key, and the key that
//          was probably meant.
// Limits:  kFleetDevices devices in all.
// Spec:    docs/planning.md
#pragma once

#include <string>

#include "core/result.h"
#include "sim/fleet.h"

namespace ebb::sim_tool {

// `name` of the file is for messages.
Result<sim::Fleet> read_fleet(const std::string& text, const std::string& name);

}  // namespace ebb::sim_tool
