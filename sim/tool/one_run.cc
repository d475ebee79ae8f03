#include "sim/tool/one_run.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "core/bytes.h"
#include "sim/tool/scratch.h"
#include "sim/verdict.h"

namespace ebb::sim_tool {
namespace {

std::string outcome_text(const sim::Outcome& outcome) {
  const auto number = [](auto value) { return std::to_string(value); };
  std::string text =
      "converged: " + std::string(outcome.converged ? "yes" : "no") + ", " +
      number(outcome.converged_after.ms()) + " ms after the faults\nlatency: p50 " +
      number(outcome.latency_p50.ms()) + " ms, p99 " + number(outcome.latency_p99.ms()) +
      " ms\nengine bytes: at most " + number(outcome.engine_bytes_max) + ", at rest " +
      number(outcome.engine_bytes_max_at_rest) + "\nevents: " + number(outcome.events) +
      " acknowledged\nsteps: " + number(outcome.steps) +
      "\ntrace: " + to_hex(outcome.trace.view()) + "\nfaults: " + number(outcome.faults.total()) +
      '\n';
  for (std::size_t i = 0; i < sim::kFaultClasses; ++i) {
    const auto fault = static_cast<sim::Fault>(i);
    const std::uint64_t count = outcome.faults.of(fault);
    if (count > 0) text += "  " + std::string(sim::fault_name(fault)) + ": " + number(count) + '\n';
  }
  return outcome.good() ? text : text + report(outcome);
}

Result<RunResult> in_scratch(const std::function<Result<RunResult>(const std::string& dir)>& use) {
  const Scratch scratch;
  if (!scratch.made()) return Error{ErrorCode::kIo, "no directory", scratch.path()};
  return use(scratch.path());
}

}  // namespace

RunResult result_of(const sim::Outcome& outcome) {
  RunResult result;
  result.good = outcome.good();
  result.failure = failure_kind(outcome);
  result.trace = to_hex(outcome.trace.view());
  result.events = outcome.events;
  result.steps = outcome.steps;
  result.faults = outcome.faults.total();
  result.virtual_ms = static_cast<std::uint64_t>(outcome.virtual_time.ms());
  result.text = outcome_text(outcome);
  return result;
}

Result<RunResult> run_here(const sim::Schedule& schedule, sim::Trace::Lines lines) {
  return in_scratch([&](const std::string& dir) -> Result<RunResult> {
    return result_of(run_schedule(schedule, dir, std::move(lines)));
  });
}

Result<RunResult> run_apart(const sim::Schedule& schedule) {
  return in_scratch([&](const std::string& dir) -> Result<RunResult> {
    EBB_ASSIGN(const ChildResult child, run_child([&] { return run_as_child(schedule, dir); }));
    return result_of_child(child);
  });
}

std::string run_as_child(const sim::Schedule& schedule, const std::string& dir) {
  const RunResult result = result_of(run_schedule(schedule, dir));
  return nlohmann::json{{"good", result.good},
                        {"failure", result.failure},
                        {"trace", result.trace},
                        {"events", result.events},
                        {"steps", result.steps},
                        {"faults", result.faults},
                        {"virtual_ms", result.virtual_ms},
                        {"text", result.text}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

RunResult result_of_child(const ChildResult& child) {
  RunResult result;
  const auto answer = nlohmann::json::parse(child.answer, nullptr, false);
  if (child.crashed() || !answer.is_object()) {
    result.failure = "crash";
    result.text = "crashed: " +
                  (child.signal != 0 ? "signal " + std::to_string(child.signal)
                                     : "exit code " + std::to_string(child.exit_code)) +
                  '\n' + child.said;
    if (!result.text.ends_with('\n')) result.text += '\n';
    return result;
  }
  result.good = answer.value("good", false);
  result.failure = answer.value("failure", "");
  result.trace = answer.value("trace", "");
  result.events = answer.value("events", std::uint64_t{0});
  result.steps = answer.value("steps", std::uint64_t{0});
  result.faults = answer.value("faults", std::uint64_t{0});
  result.virtual_ms = answer.value("virtual_ms", std::uint64_t{0});
  result.text = answer.value("text", "") + child.said;
  return result;
}

}  // namespace ebb::sim_tool
