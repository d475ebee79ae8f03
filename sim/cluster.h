// Cluster: one run. Hosts, network, clients, faults and checkers, wired together by a seed.
//
// Model:   a safety phase under faults (appends and planned faults), then a liveness phase: paths
//          open, all hosts up, nothing lost, until all agree, for which they have a number of
//          gossip rounds. Then every event of every store is read and compared.
//          A run without findings that has converged is a good one.
// Ownership: owns everything of the run; leaves its files in `dir` to the caller.
// Threads: not thread-safe; run() is called once.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "sim/convergence_checker.h"
#include "sim/cursor_checker.h"
#include "sim/datagram_checker.h"
#include "sim/durability_checker.h"
#include "sim/fault_plan.h"
#include "sim/follower_checker.h"
#include "sim/fork.h"
#include "sim/injector.h"
#include "sim/lan.h"
#include "sim/latency_meter.h"
#include "sim/member_checker.h"
#include "sim/memory_checker.h"
#include "sim/order_checker.h"
#include "sim/paper_mesh.h"
#include "sim/presence_checker.h"
#include "sim/quota_checker.h"
#include "sim/refold_checker.h"
#include "sim/scope_checker.h"
#include "sim/scope_plan.h"
#include "sim/signature_checker.h"
#include "sim/stamp_checker.h"
#include "sim/strangers.h"
#include "sim/workload.h"

namespace ebb::sim {

struct Outcome {
  Options options;
  bool converged = false;
  Duration converged_after;  // the end of the chaos
  Duration virtual_time;     // of the whole run
  Hash trace;
  std::uint64_t steps = 0;   // of engines
  std::uint64_t events = 0;  // acknowledged
  // Of Options::restore: own events that the old store lacked, and how often a peer said so.
  std::uint64_t events_rolled_back = 0;
  std::uint64_t rollbacks_found = 0;
  std::uint64_t set_backs_found = 0;  // that its arrival numbers were given before
  std::uint64_t logs_forked = 0;
  // From the commit of an event's author to that of another host, hosts left out left out.
  Duration latency_p50, latency_p99;
  std::uint64_t bytes_sent = 0;
  // The most that an engine held of the heap, and what waited with it.
  std::int64_t engine_bytes_max = 0, engine_bytes_max_at_rest = 0;
  FaultCounts faults;
  Findings findings;

  bool good() const { return converged && findings.empty(); }
};

// Several lines for people: the seed, what is wrong, how to see it again.
std::string report(const Outcome& outcome);

class Cluster : private Observer {
 public:
  // `dir` exists and is empty.
  Cluster(const Schedule& schedule, const std::string& dir, Trace::Lines lines = {});
  Outcome run();

 private:
  void opened(HostIndex host, const Storage& store) override;
  void committed(HostIndex host, const store::CommitResult& result) override;
  void kept_records(HostIndex host, const std::vector<Bytes>& records) override;
  void epoch_doubted(HostIndex host, bool is_committing) override;
  void acknowledged(HostIndex host, const store::AppendBatch& batch,
                    const std::vector<store::DotRange>& ranges) override;
  void heard_time(HostIndex host, WallTime wall) override;
  void datagram_sent(HostIndex host, ByteView bytes) override;
  void datagram_left(ByteView bytes) override;
  void datagram_taken(HostIndex host, ByteView bytes) override;
  void stepped(HostIndex host) override;
  void given_up(HostIndex host) override;
  void trouble(HostIndex host, const std::string& text) override;

  void make_hosts(const std::string& dir, Rng& rng);
  // cluster_strangers.cc
  void make_strangers(const MeshId& mesh, Rng rng);
  void let_strangers_in(std::vector<DeviceId> hosts);
  // members.cc
  std::vector<HostIndex> issuer_hosts() const;
  void join_members(WallTime now);
  void limit_members();
  void schedule_issues();
  void issue_soon(HostIndex host);
  void issue_again(HostIndex host);
  void want_certificate(HostIndex host);
  bool is_held_elsewhere(HostIndex host) const;
  void excuse_unadmitted();
  // cluster_schedule.cc
  void schedule_starts();
  void schedule_appends();
  void append_steadily(HostIndex host);
  void schedule_faults();
  void start(HostIndex host);
  void make_injectors();
  void leave_out(HostIndex host);
  void inject(const PlannedFault& fault);
  void store_replaced(HostIndex host);
  void calm();
  void run_for(Duration duration);
  // Between hosts, now and then: too much for every step.
  void audit();
  void check_at_rest();
  MemoryUse memory_use(HostIndex host) const;
  bool wait_for_agreement();
  // One that the host that is left out exceeds.
  bool has_quota() const { return options_.quota_events != 0 && options_.left_out; }
  // A host that is down long enough to be backed up, in the middle of the chaos.
  void back_up(HostIndex host);
  bool survive_restore(HostIndex index, Outcome& outcome);
  bool all_know_more(HostIndex index) const;
  bool is_quiet(HostIndex index) const;
  void die_in_doubt(HostIndex index);
  void write_in_gap(HostIndex index, const std::map<LogId, store::HeadRecord>& before);

  Options options_;
  EventQueue queue_;
  Trace trace_;
  FaultCounts counts_;
  Findings findings_;
  Ledger ledger_;
  DurabilityChecker durability_;
  OrderChecker order_;
  ConvergenceChecker convergence_;
  CursorChecker cursors_;
  DatagramChecker datagrams_;
  FollowerChecker followers_;
  RefoldChecker refold_;
  StampChecker stamps_;
  PresenceChecker presences_;
  ScopeChecker scope_checker_;
  QuotaChecker quota_;
  MemoryChecker memory_;
  SignatureChecker signatures_;
  MemberChecker members_;
  StrangerChecker stranger_checker_;
  LatencyMeter latency_;
  std::vector<PlannedFault> plan_;
  std::vector<bool> behind_nat_;
  ScopePlan scopes_;
  std::unique_ptr<PaperMesh> paper_;  // null: an open mesh
  Network network_;
  Hosts hosts_;
  Lan lan_;
  std::unique_ptr<Strangers> strangers_;  // null: there are none
  std::vector<std::unique_ptr<Injector>> injectors_;
  Rng schedule_rng_;
  Rng issue_rng_;
  std::uint64_t issues_ = 0;  // that were wanted
  Workload workload_;
  std::vector<bool> started_late_;
  std::set<HostIndex> replaced_;            // and not opened since
  std::map<HostIndex, StoreEpoch> epochs_;  // as last opened
  std::vector<std::uint64_t> steps_;        // of each host
  std::optional<DeviceId> liar_;
  bool chaos_ = true;
  Instant calm_since_;
  // What a restored host was asked to store while nobody heard it, and what came of that.
  bool in_gap_ = false;
  Ledger gap_ledger_;
  std::optional<Fork> fork_;
};

// A fresh cluster in `dir`, which exists and is empty.
Outcome run_schedule(const Schedule& schedule, const std::string& dir, Trace::Lines lines = {});
// The faults that the seed of `options` plans.
Schedule schedule_of(const Options& options);
Outcome run_seed(const Options& options, const std::string& dir, Trace::Lines lines = {});

}  // namespace ebb::sim
