#include "sim/order_checker.h"

#include <set>
#include <string>
#include <utility>

namespace ebb::sim {

void OrderChecker::one_chain(HostIndex host, const LogId& log, const Position& position) {
  const bool branch = fork_ && fork_->host == host && fork_->splits({log, position.seq});
  auto& chains = branch ? branch_chains_ : chains_;
  const auto placed = chains.emplace(std::pair(log, position.seq), position.chain);
  if (placed.first->second != position.chain) {
    findings_.add("order", host, "two chains at one position: " + dot_text({log, position.seq}));
  }
}

void OrderChecker::arrived(HostIndex host, Arrival arrival) {
  Known& known = hosts_[host];
  if (arrival <= known.arrival) {
    findings_.add("order", host,
                  "arrival number " + std::to_string(arrival) + " comes after " +
                      std::to_string(known.arrival));
  }
  known.arrival = arrival;
}

void OrderChecker::erased(HostIndex host) {
  const auto known = hosts_.find(host);
  if (known != hosts_.end()) epochs_gone_[host].insert(known->second.epoch);
  hosts_.erase(host);
}

bool OrderChecker::holds(HostIndex host, const Dot& dot) const {
  const auto known = hosts_.find(host);
  if (known == hosts_.end()) return false;
  const auto head = known->second.heads.find(dot.log);
  return head != known->second.heads.end() && head->second.seq >= dot.seq;
}

void OrderChecker::opened(HostIndex host, const Storage& store) {
  Known& known = hosts_[host];
  std::map<LogId, Position> heads;
  for (const store::HeadRecord& head : store.heads()) {
    heads[head.log] = head.held;
    one_chain(host, head.log, head.held);
  }
  for (const auto& [log, before] : known.heads) {
    const auto found = heads.find(log);
    const Position now = found == heads.end() ? Position{} : found->second;
    // More may be held than was seen committed: a kill can fall between commit and answer.
    if (now.seq < before.seq || (now.seq == before.seq && now.chain != before.chain)) {
      findings_.add("order", host,
                    "a restart moved a head back from " + dot_text({log, before.seq}) + " to " +
                        std::to_string(now.seq));
    }
  }
  if (epochs_gone_[host].contains(store.epoch())) {
    findings_.add("order", host, "a new store took an epoch of one that is gone");
  }
  if (known.epoch == store.epoch() && store.arrival_head() < known.arrival) {
    findings_.add("order", host, "a restart moved the arrival numbers back within an epoch");
  }
  known.heads = std::move(heads);
  known.epoch = store.epoch();
  known.arrival = store.arrival_head();
  known.is_doubted = false;
}

void OrderChecker::epoch_doubted(HostIndex host, bool is_committing) {
  hosts_[host].is_doubted = true;
  hosts_[host].is_committing = is_committing;
}

void OrderChecker::judge_epoch(HostIndex host, const store::CommitResult& result) {
  Known& known = hosts_[host];
  if (result.epoch) {
    known.epoch = *result.epoch;
    known.is_doubted = false;
  }
  const bool is_late = !std::exchange(known.is_committing, false);
  if (known.is_doubted && is_late && !result.advances.empty()) {
    findings_.add("order", host, "arrival numbers are given in an epoch that is in doubt");
  }
}

void OrderChecker::committed(HostIndex host, const store::CommitResult& result) {
  judge_epoch(host, result);
  std::map<LogId, Position>& heads = hosts_[host].heads;
  std::set<Arrival> arrivals;
  for (const store::HeadAdvance& advance : result.advances) {
    const LogId& log = advance.head.log;
    Position& known = heads[log];
    const bool same_start =
        advance.before.seq == known.seq && (known.seq == 0 || advance.before.chain == known.chain);
    if (!same_start || advance.head.held.seq <= known.seq) {
      findings_.add("order", host,
                    "a commit moved a head from " + dot_text({log, known.seq}) + " to " +
                        std::to_string(advance.head.held.seq) + ", beginning at " +
                        std::to_string(advance.before.seq));
    }
    known = advance.head.held;
    one_chain(host, log, known);
    if (!arrivals.insert(advance.head.arrival).second) {
      findings_.add("order", host, "two heads of one commit have the same arrival number");
    }
  }
  for (const Arrival arrival : arrivals)
    arrived(host, arrival);
}

}  // namespace ebb::sim
