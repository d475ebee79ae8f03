// The host that may write topics of one prefix alone, and writes others as well: which they are,
// and whether all have what it may write. It is no member that could agree with the others, for it
// has logs of its own that nobody else may take.
//
// Threads: pure functions; any thread.
#pragma once

#include <optional>
#include <string>

#include "sim/fork.h"
#include "sim/injector.h"

namespace ebb::sim {

// One of the workload's topics, or the beginning of one.
std::string narrow_prefix(const Options& options);

// It runs, and a full host holds its logs of these topics, and its control logs, as it does. True
// where there is no such host.
bool narrow_is_told(const Options& options, const Hosts& hosts, const std::optional<Fork>& fork);

}  // namespace ebb::sim
