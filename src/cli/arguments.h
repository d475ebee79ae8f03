// The command line: which words there are, what they set, and which command they call.
//
// Threads: call on the main thread.
// Errors:  printed on the terminal; the exit code is returned.
#pragma once

#include <string>
#include <vector>

#include "cli/app.h"
#include "cli/terminal.h"

namespace ebb::cli {

// Runs the command that `arguments` (without the program's name) ask for.
int run_arguments(const std::vector<std::string>& arguments, const LocalCommands& local,
                  Terminal& terminal);

}  // namespace ebb::cli
