#include "sim/convergence_checker.h"

#include <string>

#include "sim/log_reader.h"

namespace ebb::sim {
namespace {

std::uint64_t events_in(const Storage& store) {
  std::uint64_t events = 0;
  for (const store::HeadRecord& head : store.heads())
    events += head.held.seq;
  return events;
}

bool is_applied(const Storage& store) {
  for (const store::HeadRecord& head : store.heads()) {
    if (store.applied().at(head.log) != head.effective()) return false;
  }
  return true;
}

}  // namespace

bool ConvergenceChecker::agree(Hosts& hosts) {
  for (const auto& host : hosts) {
    if (!host->honest()) continue;
    if (!host->running() || !host->storage().idle()) return false;
    if (host->engine()->root() != hosts.front()->engine()->root()) return false;
    if (host->engine()->log_count() != hosts.front()->engine()->log_count()) return false;
  }
  const Hash digest = hosts.front()->storage().store()->state_digest();
  for (const auto& host : hosts) {
    if (host->honest() && host->storage().store()->state_digest() != digest) return false;
  }
  return true;
}

void ConvergenceChecker::check(Hosts& hosts) {
  check_same(hosts);
  for (HostIndex index = 0; index < hosts.size(); ++index)
    check_promises(index, *hosts[index]);
}

void ConvergenceChecker::check_same(Hosts& hosts) {
  for (HostIndex index = 0; index < hosts.size(); ++index) {
    Host& host = *hosts[index];
    if (!host.honest()) continue;
    if (!host.running()) {
      findings_.add("convergence", index, "is not running");
      return;
    }
    Storage& store = *host.storage().store();
    Storage& first = *hosts.front()->storage().store();
    if (store.state_digest() != first.state_digest()) {
      findings_.add("convergence", index, "has another state digest than host 0");
    }
    if (host.engine()->root() != hosts.front()->engine()->root()) {
      findings_.add("convergence", index,
                    "has another root than host 0: " + std::to_string(events_in(store)) +
                        " events stored, " + std::to_string(host.engine()->events_held()) +
                        " held and " + std::to_string(host.engine()->events_known()) +
                        " known by its engine");
    }
    if (host.engine()->events_held() != events_in(store)) {
      findings_.add("convergence", index, "its engine's and its store's counts of events differ");
    }
    if (!is_applied(store)) findings_.add("convergence", index, "holds events it did not apply");
  }
}

void ConvergenceChecker::check_promises(HostIndex index, Host& host) {
  if (!host.running() || !host.honest()) return;
  const Storage& store = *host.storage().store();
  std::size_t kept = 0;
  std::size_t required = 0;
  for (const auto& [dot, promise] : ledger_.promises()) {
    if (!promise.forgiven) ++required;
  }
  for (const store::HeadRecord& head : store.heads()) {
    const Status status = read_log(store, head, [&](const LoggedEvent& logged) {
      const auto found = ledger_.promises().find(logged.dot);
      if (found == ledger_.promises().end()) return;
      if (!found->second.forgiven) ++kept;
      if (!keeps(found->second, logged.key, logged.event)) {
        findings_.add("convergence", index, "an event differs: " + dot_text(logged.dot));
      }
    });
    if (!status) findings_.add("convergence", index, status.error().message());
  }
  if (kept == required) return;
  findings_.add("convergence", index,
                std::to_string(required - kept) + " acknowledged events are missing");
}

}  // namespace ebb::sim
