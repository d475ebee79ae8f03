// What a cluster does to its host 0 with Options::restore: back with an old store, and perhaps
// written to before anybody can say so.
#include <algorithm>
#include <set>
#include <utility>

#include "sim/cluster.h"

namespace ebb::sim {
namespace {

constexpr Duration kGap = seconds(20);
constexpr Duration kStall = seconds(30);
constexpr int kBatchesInDoubt = 3;
constexpr int kBatchesInGap = 25;
constexpr Duration kDialBackoffMax = seconds(300);  // the engine's

using Heads = std::map<LogId, store::HeadRecord>;

Heads own_heads(const Host& host) {
  Heads heads;
  for (const store::HeadRecord& head : host.storage().store()->heads()) {
    if (head.key.device == host.device()) heads.emplace(head.log, head);
  }
  return heads;
}

Seq seq_of(const Heads& heads, const LogId& log) {
  const auto found = heads.find(log);
  return found == heads.end() ? 0 : found->second.held.seq;
}

std::uint64_t events_in(const Heads& heads) {
  std::uint64_t events = 0;
  for (const auto& [log, head] : heads)
    events += head.held.seq;
  return events;
}

}  // namespace

void Cluster::back_up(HostIndex host) {
  hosts_[host]->stop(StopKind::kKill);
  hosts_[host]->storage().back_up();
  start(host);
  // The backup holds all of an incarnation that has ended, and nothing of the one that was lost.
  const bool ends_here = options_.seed % 2 == 1 && !options_.restore_quiet;
  if (ends_here && hosts_[host]->running()) hosts_[host]->storage().begin_incarnation();
}

// What is backed up, and written to no more.
bool Cluster::is_quiet(HostIndex index) const {
  const Duration half = options_.chaos / 2;
  return options_.restore_quiet && index == 0 && queue_.now() - Instant{} >= half;
}

// Whether every other host knows later arrivals of its store than it has itself.
bool Cluster::all_know_more(HostIndex index) const {
  const Storage& store = *hosts_[index]->storage().store();
  return std::all_of(hosts_.begin(), hosts_.end(), [&](const std::unique_ptr<Host>& host) {
    if (host == hosts_[index] || !host->running() || !host->honest()) return true;
    const auto cursors = host->storage().store()->cursors();
    return std::any_of(cursors.begin(), cursors.end(), [&](const store::CursorUpdate& cursor) {
      return cursor.peer == hosts_[index]->device() && cursor.epoch == store.epoch() &&
             cursor.arrival > store.arrival_head();
    });
  });
}

bool Cluster::survive_restore(HostIndex index, Outcome& outcome) {
  Host& host = *hosts_[index];
  const Heads before = own_heads(host);
  const Incarnation incarnation = host.storage().store()->incarnation();
  host.stop(StopKind::kClean);
  host.storage().restore_backup();
  host.expect_rollback();
  order_.forget(index);
  store_replaced(index);
  std::vector<Direction> all;
  for (HostIndex other = 0; options_.restore_gap && other < hosts_.size(); ++other) {
    if (other == index) continue;
    all.push_back({index, other});
    all.push_back({other, index});
  }
  const CutId cut = network_.cut(std::move(all));
  start(index);
  if (!host.running()) return false;
  outcome.events_rolled_back = events_in(before) - events_in(own_heads(host));
  const StoreEpoch epoch = host.storage().store()->epoch();
  const bool is_known = !options_.restore_gap && all_know_more(index);
  if (options_.restore_gap) write_in_gap(index, before);
  network_.heal(cut);
  if (options_.restore_quiet) die_in_doubt(index);
  if (!host.running()) return false;
  // Long enough to be dialled, whatever went wrong before, and told.
  run_for(kDialBackoffMax + kGossipRound);
  outcome.rollbacks_found = host.rollbacks_found();
  outcome.set_backs_found = host.set_backs_found();
  if (is_known && host.storage().store()->epoch() == epoch) {
    trouble(index, "goes on in the epoch of which all others know later arrivals");
  }
  outcome.logs_forked = fork_ ? fork_->logs.size() : 0;
  const bool same = host.storage().store()->incarnation() == incarnation;
  if (same && outcome.events_rolled_back > 0) {
    trouble(index, "goes on in the incarnation of which it lost events");
  }
  for (HostIndex each = 0; each < hosts_.size(); ++each) {
    hosts_[each]->append(workload_.next(each));
  }
  return wait_for_agreement();
}

// All who reach it tell it that it was set back, and it loses its power before its disk has taken
// anything. When they tell it again the disk still stands still, and its clients' events wait.
void Cluster::die_in_doubt(HostIndex index) {
  hosts_[index]->storage().moods().stall(kStall);
  run_for(kStall * 2 / 3);
  hosts_[index]->stop(StopKind::kPowerLoss);
  start(index);
  for (int i = 0; i < kBatchesInDoubt; ++i)
    hosts_[index]->append(workload_.next(index));
}

// Nobody hears it, and it writes on. Where others hold something else under the same numbers, there
// are two histories from then on: nobody can be asked to join them, but each has to be kept.
void Cluster::write_in_gap(HostIndex index, const std::map<LogId, store::HeadRecord>& before) {
  const Heads base = own_heads(*hosts_[index]);
  Fork fork{index, {}};
  for (const auto& [log, head] : before) {
    if (head.held.seq > seq_of(base, log)) fork.logs[log] = seq_of(base, log);
  }
  order_.expect_fork(fork);
  in_gap_ = true;
  for (int i = 0; i < kBatchesInGap; ++i) {
    hosts_[index]->append(workload_.next(index));
    run_for(kGap / kBatchesInGap);
  }
  in_gap_ = false;
  workload_.forget(index);
  const Heads after = own_heads(*hosts_[index]);
  std::erase_if(fork.logs, [&](const auto& log) { return seq_of(after, log.first) <= log.second; });
  gap_ledger_.move_to(ledger_, [&fork](const Dot& dot) { return !fork.splits(dot); });
  if (fork.logs.empty()) return;
  for (const auto& host : hosts_)
    host->expect_fork();
  fork_ = std::move(fork);
}

}  // namespace ebb::sim
