// The command line of ebb-sim.
//
// Threads: call on the main thread.
// Errors:  messages on stderr say what happened and what to do next. Exit codes: 0 good, 1 some run
//          was bad or could not be made, 2 usage.
#pragma once

#include <string>
#include <vector>

#include "cli/terminal.h"

namespace ebb::sim_tool {

int run_arguments(const std::vector<std::string>& arguments, cli::Terminal& terminal);

}  // namespace ebb::sim_tool
