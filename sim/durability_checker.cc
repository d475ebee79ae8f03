#include "sim/durability_checker.h"

#include <set>
#include <string>

#include "sim/log_reader.h"

namespace ebb::sim {

void DurabilityChecker::opened(HostIndex host, const Storage& store) {
  const auto forgiven = forgiven_until_.find(host);
  const std::uint64_t first = forgiven == forgiven_until_.end() ? 0 : forgiven->second;
  std::set<Dot> missing;
  std::set<LogId> logs;
  for (const auto& [dot, promise] : ledger_.promises()) {
    if (promise.host != host || promise.number < first) continue;
    missing.insert(dot);
    logs.insert(dot.log);
  }
  if (missing.empty()) return;
  for (const store::HeadRecord& head : store.heads()) {
    if (logs.count(head.log) == 0) continue;
    const Status read = read_log(store, head, [&](const LoggedEvent& logged) {
      if (missing.erase(logged.dot) == 0) return;
      if (!keeps(ledger_.promises().at(logged.dot), logged.key, logged.event)) {
        findings_.add("durability", host,
                      "an acknowledged event came back changed: " + dot_text(logged.dot));
      }
    });
    if (!read) findings_.add("durability", host, read.error().message());
  }
  for (const Dot& dot : missing) {
    findings_.add("durability", host,
                  "an acknowledged event is gone after a restart: " + dot_text(dot));
  }
}

}  // namespace ebb::sim
