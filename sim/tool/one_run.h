// One run of a schedule, here or in a process of its own, and what came of it as plain values.
//
// Threads: call on the main thread.
// Errors:  kIo when there is no directory or process to be had.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"
#include "sim/cluster.h"
#include "sim/tool/children.h"

namespace ebb::sim_tool {

struct RunResult {
  bool good = false;
  std::string failure;  // sim/verdict.h, or "crash"
  std::string trace;    // hex; empty after a crash
  std::uint64_t events = 0;
  std::uint64_t steps = 0;
  std::uint64_t faults = 0;
  std::uint64_t virtual_ms = 0;
  std::string text;  // several lines for people
};

RunResult result_of(const sim::Outcome& outcome);
Result<RunResult> run_here(const sim::Schedule& schedule, sim::Trace::Lines lines);
// A crash is a result like another.
Result<RunResult> run_apart(const sim::Schedule& schedule);

// The two halves of that, for many at a time: what a child answers, and what its end means.
std::string run_as_child(const sim::Schedule& schedule, const std::string& dir);
RunResult result_of_child(const ChildResult& child);

}  // namespace ebb::sim_tool
