// A schedule as a TOML file: what `ebb-sim --shrink` writes and `ebb-sim replay` runs.
//
// Model:   every field of Options and of each planned fault is in it, under its own name, so that
//          the file says all of the run; what is not in it has its default.
// Threads: pure functions; any thread.
// Errors:  read_schedule: kMalformed, kInvalidArgument, with file, line and key.
// Spec:    docs/simulation.md section 8
#pragma once

#include <string>

#include "core/result.h"
#include "sim/fault_plan.h"

namespace ebb::sim_tool {

// What the run did when the file was written.
struct Expectation {
  std::string failure;  // sim/verdict.h
  std::string trace;    // hex
};

struct ScheduleFile {
  sim::Schedule schedule;
  Expectation expected;
};

std::string write_schedule(const ScheduleFile& file);
Result<ScheduleFile> read_schedule(const std::string& text, const std::string& name);

}  // namespace ebb::sim_tool
