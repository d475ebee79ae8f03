#include "sim/verdict.h"

#include "sim/scenarios.h"

namespace ebb::sim {

std::string failure_kind(const Outcome& outcome) {
  if (outcome.good()) return {};
  if (outcome.findings.empty()) return "convergence";
  const std::string& first = outcome.findings.texts().front();
  return first.substr(0, first.find(':'));
}

std::string report(const Outcome& outcome) {
  std::string text = "seed " + std::to_string(outcome.options.seed) + ", " +
                     std::to_string(outcome.options.nodes) + " nodes: ";
  text += outcome.converged ? "converged" : "did not converge";
  text += ", " + std::to_string(outcome.findings.count()) + " findings\n";
  for (const std::string& finding : outcome.findings.texts())
    text += "  " + finding + "\n";
  // What only a test asks for, no line replays.
  const std::string line = replay_line(outcome.options);
  if (!line.empty()) text += "replay: " + line + '\n';
  return text;
}

}  // namespace ebb::sim
