// Starts a node in the background and waits until it serves.
//
// Model:   the child is this program again with `run --ready-fd=N`, in a session of its own, its
//          output in the log file; it writes "ready\n" or "error: ...\n" to descriptor N, and
//          behind the latter perhaps "next: ...\n", what to do; then it closes N.
// Threads: call on the main thread.
// Errors:  the child's own words and exit code when it did not start; exit code 5 when it is not
//          ready in time (it is left to go on).
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "cli/failure.h"
#include "core/time.h"
#include "core/unique_fd.h"

namespace ebb::cli {

struct BackgroundOptions {
  std::string program;                 // a path
  std::vector<std::string> command;    // behind the program's name
  std::vector<std::string> arguments;  // behind that
  std::string input;  // what it reads there (a passphrase): nothing stands in its command line
  std::string log_path;
  Duration timeout;
};

// The process id of the node that is now ready.
Outcome<pid_t> start_in_background(const BackgroundOptions& options);

// A descriptor that becomes readable when the process ends; not open when there is no such process
// (or the kernel knows no such descriptors).
UniqueFd process_end(pid_t pid);

// Waits until `fd` is readable; false when that takes longer.
bool wait_readable(int fd, Duration timeout);
// Lets time pass.
void pause_for(Duration time);

}  // namespace ebb::cli
