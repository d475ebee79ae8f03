#include "sim/verdict.h"

namespace ebb::sim {

std::string failure_kind(const Outcome& outcome) {
  if (outcome.good()) return {};
  if (outcome.findings.empty()) return "convergence";
  const std::string& first = outcome.findings.texts().front();
  return first.substr(0, first.find(':'));
}

}  // namespace ebb::sim
