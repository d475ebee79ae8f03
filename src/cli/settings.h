// Settings of one run of the program: the global flags, and those of the daemon that stand over its
// configuration file.
//
// Threads: values; any thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/app.h"
#include "cli/failure.h"
#include "cli/terminal.h"
#include "core/time.h"

namespace ebb::cli {

struct Globals {
  std::string dir;                        // empty: $EBB_DIR, else the default
  bool json = false;                      // print the API's JSON as it came
  std::optional<double> timeout_seconds;  // of a whole request; absent: kRequestTimeout
  bool quiet = false;                     // no notes and no progress; failures are still told
  bool verbose = false;                   // requests are told on stderr
  std::string color = "auto";             // auto, always, never
};

inline constexpr Duration kRequestTimeout = seconds(30);

// Flags of `run`, `up` and `config`.
struct DaemonFlags {
  std::optional<std::string> listen;
  std::vector<std::string> peers;
  std::optional<std::string> log_level;
  std::optional<std::string> log_format;
};

// True when one of them was given.
bool any_given(const DaemonFlags& flags);
// A sentence on each variable of the environment that begins with EBB_ and means nothing.
std::vector<std::string> unknown_variables(const std::vector<std::string>& names);
// Flags over environment, each with its origin.
Overrides overrides_of(const DaemonFlags& flags, const Terminal& terminal);
// The same flags as arguments of a further `ebb`.
std::vector<std::string> arguments_of(const DaemonFlags& flags);
// The data directory, and whether hints have to name it: not where it is the default one, and a
// shell with EBB_DIR means no other. EBB_DIR itself is of one shell: what it names is named. Fails
// when nothing names a directory.
Outcome<Place> place_of(const Globals& globals, const Terminal& terminal);
// Whether text on `out` may be coloured.
bool use_colours(const Globals& globals, const Terminal& terminal);

}  // namespace ebb::cli
