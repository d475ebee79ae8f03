#include "sim/convergence_checker.h"

#include <map>
#include <set>
#include <string>

#include "sim/log_reader.h"
#include "trust/fingerprint.h"

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

// What a host holds but for the logs that have two histories.
std::map<LogId, Position> whole_logs(const Storage& store, const Fork& fork) {
  std::map<LogId, Position> logs;
  for (const store::HeadRecord& head : store.heads()) {
    if (!fork.logs.contains(head.log)) logs[head.log] = head.held;
  }
  return logs;
}

// Of what `from` holds, what `host` takes part in.
std::map<LogId, Position> logs_in_scope(const Host& host, const Storage& from) {
  std::map<LogId, Position> logs;
  for (const store::HeadRecord& head : from.heads()) {
    if (covers(host.takes_part(), host.device(), head.key)) logs[head.log] = head.held;
  }
  return logs;
}

bool holds_its_scope(const Host& host, const Host& whole) {
  return logs_in_scope(host, *host.storage().store()) ==
         logs_in_scope(host, *whole.storage().store());
}

Fingerprint fingerprint_of(const std::map<LogId, Position>& logs) {
  trust::FingerprintSum sum;
  for (const auto& [log, position] : logs)
    sum.add(log, position);
  return sum.fingerprint();
}

bool is_apart(const std::optional<Fork>& fork, HostIndex index) {
  return fork && fork->host == index;
}

// The host with which all others are compared.
HostIndex first_of(const std::optional<Fork>& fork) { return is_apart(fork, 0) ? 1 : 0; }

}  // namespace

bool ConvergenceChecker::agree(Hosts& hosts, const std::optional<Fork>& fork) {
  Host& first = *hosts[first_of(fork)];
  for (const auto& host : hosts) {
    if (!host->is_member()) continue;
    if (!host->running() || !host->storage().idle()) return false;
  }
  const Hash digest = first.storage().store()->state_digest();
  for (HostIndex index = 0; index < hosts.size(); ++index) {
    Host& host = *hosts[index];
    if (!host.is_member()) continue;
    if (is_apart(fork, index)) {
      if (whole_logs(*host.storage().store(), *fork) !=
          whole_logs(*first.storage().store(), *fork)) {
        return false;
      }
      continue;
    }
    if (!host.takes_part().is_full()) {
      if (!holds_its_scope(host, first)) return false;
      continue;
    }
    if (host.engine()->root() != first.engine()->root()) return false;
    if (host.engine()->log_count() != first.engine()->log_count()) return false;
    if (host.storage().store()->state_digest() != digest) return false;
  }
  return true;
}

void ConvergenceChecker::check(Hosts& hosts, const std::optional<Fork>& fork,
                               const Ledger& branch) {
  check_same(hosts, fork);
  for (HostIndex index = 0; index < hosts.size(); ++index) {
    const bool apart = is_apart(fork, index);
    const std::set<LogId> in_scope = scope_of(hosts, fork, index);
    check_promises(index, *hosts[index], ledger_, [&](const Dot& dot) {
      return (!apart || !fork->splits(dot)) &&
             (hosts[index]->takes_part().is_full() || in_scope.contains(dot.log));
    });
    if (!apart) continue;
    check_promises(index, *hosts[index], branch, [](const Dot&) { return true; });
    check_same_logs(hosts, *fork);
  }
}

// The logs of the host's scope, as the host knows them with which all are compared.
std::set<LogId> ConvergenceChecker::scope_of(Hosts& hosts, const std::optional<Fork>& fork,
                                             HostIndex index) {
  std::set<LogId> logs;
  const Host& whole = *hosts[first_of(fork)];
  if (!whole.running()) return logs;
  for (const auto& [log, position] : logs_in_scope(*hosts[index], *whole.storage().store()))
    logs.insert(log);
  return logs;
}

void ConvergenceChecker::check_scope(HostIndex index, const Host& host, const Host& whole) {
  if (!holds_its_scope(host, whole)) {
    findings_.add("convergence", index, "holds other logs of its scope than a full host");
  }
  if (host.engine()->root() != fingerprint_of(logs_in_scope(host, *host.storage().store()))) {
    findings_.add("convergence", index, "its engine's root is not that of its scope");
  }
}

void ConvergenceChecker::check_same_logs(Hosts& hosts, const Fork& fork) {
  if (!hosts[fork.host]->running() || !hosts[first_of(fork)]->running()) return;
  if (whole_logs(*hosts[fork.host]->storage().store(), fork) !=
      whole_logs(*hosts[first_of(fork)]->storage().store(), fork)) {
    findings_.add("convergence", fork.host, "holds other logs than those that it forked otherwise");
  }
}

void ConvergenceChecker::check_same(Hosts& hosts, const std::optional<Fork>& fork) {
  const std::string other = "host " + std::to_string(first_of(fork));
  for (HostIndex index = 0; index < hosts.size(); ++index) {
    Host& host = *hosts[index];
    if (!host.is_member()) continue;
    if (!host.running()) {
      findings_.add("convergence", index, "is not running");
      return;
    }
    Storage& store = *host.storage().store();
    Host& first = *hosts[first_of(fork)];
    const bool apart = is_apart(fork, index) || !host.takes_part().is_full();
    if (!host.takes_part().is_full()) check_scope(index, host, first);
    if (!apart && store.state_digest() != first.storage().store()->state_digest()) {
      findings_.add("convergence", index, "has another state digest than " + other);
    }
    if (!apart && host.engine()->root() != first.engine()->root()) {
      findings_.add("convergence", index,
                    "has another root than " + other + ": " + std::to_string(events_in(store)) +
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

void ConvergenceChecker::check_promises(HostIndex index, Host& host, const Ledger& ledger,
                                        const std::function<bool(const Dot&)>& concerns) {
  if (!host.running() || !host.is_member()) return;
  const Storage& store = *host.storage().store();
  std::size_t kept = 0;
  std::size_t required = 0;
  for (const auto& [dot, promise] : ledger.promises()) {
    if (!promise.forgiven && concerns(dot)) ++required;
  }
  for (const store::HeadRecord& head : store.heads()) {
    const Status status = read_log(store, head, [&](const LoggedEvent& logged) {
      const auto found = ledger.promises().find(logged.dot);
      if (found == ledger.promises().end() || !concerns(logged.dot)) return;
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
