// Why a daemon did not start, for the person who started it.
//
// Threads: pure functions; any thread.
#pragma once

#include <string>

#include "core/result.h"

namespace ebb::http {

// What happened, why likely, what to do next; the last two may be empty.
struct StartProblem {
  std::string what;
  std::string why;
  std::string next;
  bool usage = false;  // a flag's value is wrong: exit code 2
};

StartProblem explain_start(const Error& error, const std::string& dir);
// For the program that waits for the start (cli/background.h).
std::string ready_text(const StartProblem& problem);
// Three lines at most, with the program's name in front.
std::string problem_text(const StartProblem& problem);

}  // namespace ebb::http
