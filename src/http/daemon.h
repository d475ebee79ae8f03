// Daemon: a node with its face, as `ebb run` and `ebb up` start it: config, logging, node, server,
// signals, pid file.
//
// Threads: call on the main thread.
// Errors:  printed on stderr as what happened, why likely, what to do next; exit codes of the
//          command line (0 ok, 1 failed, 2 usage).
#pragma once

#include <string>

#include "core/time.h"
#include "node/config.h"

namespace ebb::http {

struct DaemonOptions {
  std::string dir;
  node::ConfigOverrides overrides;
  // Written "ready\n" or "error: ...\n" to once it is known how the start went; -1: none. How
  // `ebb up` learns that its background child serves.
  int ready_fd = -1;
  WallTime built = {};  // when the program was built; 0: not known
  // Of the issuer's key, where it is under one, and wiped when that is open; empty: the node runs
  // without it, and says so.
  std::string passphrase = {};
};

// Runs until SIGTERM, SIGINT or POST /v1/shutdown; returns the exit code.
int run_daemon(DaemonOptions options);

}  // namespace ebb::http
