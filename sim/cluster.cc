#include "sim/cluster.h"

#include <utility>

#include "core/check.h"
#include "sim/narrow.h"
#include "sim/planted_bugs.h"

namespace ebb::sim {
namespace {

constexpr WallTime kWallAtStart{1767225600000};  // 2026-01-01T00:00:00Z
constexpr WallTime kBuilt{kWallAtStart.ms - std::int64_t{30} * 24 * 3600 * 1000};
constexpr Duration kAgreementInterval = milliseconds(500);
constexpr Duration kAuditInterval = seconds(30);
// All hosts have started, are linked and have found their trees. What takes seconds until then
// would be the slowest hundredth of a run of minutes, whatever a bad peer does.
constexpr Duration kSettledAfter = seconds(20);
constexpr Duration kAnswerTime = seconds(60);  // of the engine: longer is no progress
constexpr std::uint64_t kStepsBetweenMeasures = 64;

// Each part of a run draws from a generator of its own: what one draws moves no other.
enum class Stream : std::uint64_t {
  kNetwork = 1,
  kHosts,
  kFaults,
  kPeers,
  kSchedule,
  kWorkload,
  kNat,
  kRefold,
  kScopes,
  kMembers,
  kStrangers,
  kSecret,
  kIssues,
  kLan
};

Rng stream(std::uint64_t seed, Stream name) {
  Rng rng(seed ^ (static_cast<std::uint64_t>(name) * 0x9e3779b97f4a7c15ULL));
  return rng.fork();
}

Bytes mesh_secret(Rng rng) {
  Bytes secret;
  while (secret.size() < trust::MeshSecret::kSize)
    append_be64(secret, rng.next());
  return secret;
}

}  // namespace

Cluster::Cluster(const Schedule& schedule, const std::string& dir, Trace::Lines lines)
    : options_(schedule.options),
      trace_(std::move(lines)),
      durability_(ledger_, findings_),
      order_(findings_),
      convergence_(ledger_, findings_),
      cursors_(findings_),
      datagrams_(findings_),
      followers_(findings_),
      refold_(stream(options_.seed, Stream::kRefold), findings_),
      stamps_(findings_),
      presences_(findings_),
      scope_checker_(findings_),
      quota_(findings_),
      memory_(findings_),
      signatures_(options_.real, findings_),
      members_(findings_),
      stranger_checker_(findings_),
      plan_(schedule.faults),
      behind_nat_(plan_nat(options_, stream(options_.seed, Stream::kNat))),
      scopes_(options_, behind_nat_, stream(options_.seed, Stream::kScopes)),
      network_(queue_, stream(options_.seed, Stream::kNetwork), options_.network,
               options_.nodes + options_.strangers, counts_,
               [this](HostIndex host, mesh::Input input) {
                 if (host >= options_.nodes) return strangers_->deliver(host, std::move(input));
                 hosts_[host]->deliver(std::move(input));
               }),
      lan_({queue_, network_, hosts_, counts_}, options_, stream(options_.seed, Stream::kLan)),
      schedule_rng_(stream(options_.seed, Stream::kSchedule)),
      issue_rng_(stream(options_.seed, Stream::kIssues)),
      workload_(stream(options_.seed, Stream::kWorkload)),
      started_late_(options_.nodes, false),
      steps_(options_.nodes, 0) {
  EBB_CHECK(options_.nodes > 0);
  Rng rng = stream(options_.seed, Stream::kHosts);
  make_hosts(dir, rng);
  make_injectors();
  if (options_.left_out) leave_out(*options_.left_out);
}

void Cluster::leave_out(HostIndex host) {
  latency_.leave_out(host);
  latency_.begin(Instant{} + kSettledAfter);
  network_.set_read_rate(host, options_.left_out_read_rate);
  if (!options_.left_out_is_deaf) return;
  std::vector<Direction> to_it;
  for (HostIndex other = 0; other < options_.nodes; ++other) {
    if (other != host) to_it.push_back({other, host});
  }
  network_.cut(std::move(to_it));
}

void Cluster::make_injectors() {
  const FaultWorld world{queue_,
                         network_,
                         hosts_,
                         counts_,
                         trace_,
                         [this](HostIndex host) { start(host); },
                         [this](HostIndex host) {
                           order_.forget(host);
                           store_replaced(host);
                         },
                         [this](HostIndex host) {
                           order_.erased(host);
                           store_replaced(host);
                         }};
  injectors_.push_back(make_path_faults(world));
  injectors_.push_back(make_host_faults(world));
  injectors_.push_back(make_clock_faults(world));
  injectors_.push_back(make_disk_faults(world));
}

void Cluster::make_hosts(const std::string& dir, Rng& rng) {
  Bytes mesh;
  append_be64(mesh, rng.next());
  append_be64(mesh, rng.next());
  if (options_.issuers > 0) {
    Rng keys = stream(options_.seed, Stream::kMembers);
    paper_ = std::make_unique<PaperMesh>(keys, options_.real, kBuilt, options_.issuers);
    mesh = to_bytes(paper_->mesh().view());
  }
  auto peers = plan_peers(options_, behind_nat_, stream(options_.seed, Stream::kPeers));
  Rng strange = stream(options_.seed, Stream::kStrangers);
  plan_strange_peers(options_, peers, strange.fork());
  make_strangers(*MeshId::from(mesh), strange.fork());
  const Bytes secret = mesh_secret(stream(options_.seed, Stream::kSecret));
  const Host::World world{queue_, network_, trace_, *this, counts_, &liar_};
  const auto skew_ms = static_cast<std::uint64_t>(options_.wall_skew_max.ms());
  for (HostIndex index = 0; index < options_.nodes; ++index) {
    Host::Setup setup;
    setup.index = index;
    setup.dir = dir + "/host" + std::to_string(index);
    setup.real = options_.real;
    setup.real_channel = options_.real_channel;
    if (options_.secret) setup.secret = secret;
    setup.mesh = *MeshId::from(mesh);
    for (const HostIndex peer : peers[index])
      setup.peers.push_back(Network::address(peer));
    setup.wall_at_start = {kWallAtStart.ms + static_cast<std::int64_t>(rng.below(skew_ms + 1))};
    setup.built = kBuilt;
    setup.disk = options_.disk;
    setup.rare = options_.rare;
    setup.wire_version = options_.mixed_wire && index % 2 == 0 ? 2 : 1;
    if (behind_nat_[index]) {
      counts_.count(Fault::kBehindNat);
      network_.set_behind_nat(index);
    }
    setup.next_scope = [this, index] { return scopes_.next(index); };
    if (options_.quota_events != 0) setup.quota.events = options_.quota_events;
    if (index == options_.liar_host()) setup.lies = &options_;
    stamps_.read(Instant{}, index, kBuilt);
    hosts_.push_back(std::make_unique<Host>(world, std::move(setup), rng.fork()));
    if (hosts_.back()->honest()) continue;
    liar_ = hosts_.back()->device();
    ledger_.excuse(index);
  }
  std::vector<DeviceId> devices;
  for (const auto& host : hosts_)
    devices.push_back(host->device());
  scopes_.set_devices(devices);
  let_strangers_in(std::move(devices));
  join_members(kWallAtStart);
}

Outcome Cluster::run() {
  schedule_faults();
  schedule_starts();
  schedule_appends();
  schedule_issues();
  lan_.begin();
  queue_.after(kAuditInterval, [this] { audit(); });
  const Instant end = Instant{} + options_.chaos;
  if (options_.restore) queue_.at({end.us / 2}, [this] { back_up(0); });
  while (queue_.run_next(end)) {
  }
  calm();
  Outcome outcome;
  outcome.options = options_;
  outcome.converged = wait_for_agreement();
  outcome.converged_after = queue_.now() - calm_since_;
  if (options_.restore && outcome.converged) outcome.converged = survive_restore(0, outcome);
  check_at_rest();
  outcome.latency_p50 = latency_.percentile(50);
  outcome.latency_p99 = latency_.percentile(99);
  outcome.bytes_sent = network_.bytes_sent();
  outcome.engine_bytes_max = memory_.engine_max();
  outcome.engine_bytes_max_at_rest = memory_.engine_max_at_rest();
  outcome.virtual_time = queue_.now() - Instant{};
  outcome.trace = trace_.hash();
  outcome.steps = trace_.steps();
  outcome.events = ledger_.promises().size();
  outcome.faults = counts_;
  outcome.findings = findings_;
  return outcome;
}

void Cluster::start(HostIndex host) {
  if (hosts_[host]->running()) return;
  const Status started = hosts_[host]->start();
  if (!started) return trouble(host, "does not start: " + started.error().message());
  issue_soon(host);
}

void Cluster::inject(const PlannedFault& fault) {
  if (!chaos_) return;
  trace_.note(queue_.now(), fault.host, std::string(fault_name(fault.kind)));
  for (const auto& injector : injectors_) {
    if (injector->inject(fault)) return;
  }
  EBB_CHECK(false);  // A class that is planned is somebody's.
}

// Until it is open again nobody knows what its disk holds.
void Cluster::store_replaced(HostIndex host) {
  replaced_.insert(host);
  // Until a restored store takes another epoch, its arrival numbers begin again under the old one.
  if (epochs_.contains(host)) cursors_.retire_epoch(epochs_.at(host));
  durability_.forgive(host);
  followers_.forget(host);
  workload_.forget(host);
}

void Cluster::calm() {
  chaos_ = false;
  calm_since_ = queue_.now();
  trace_.note(queue_.now(), 0, "calm");
  for (const auto& injector : injectors_)
    injector->calm();
  network_.calm();
  if (strangers_ != nullptr) strangers_->calm();
  for (HostIndex host = 0; host < hosts_.size(); ++host) {
    hosts_[host]->storage().calm();
    start(host);
  }
  excuse_unadmitted();
}

void Cluster::run_for(Duration duration) {
  const Instant limit = queue_.now() + duration;
  while (queue_.run_next(limit)) {
  }
}

bool Cluster::wait_for_agreement() {
  const Instant limit = queue_.now() + options_.patience();
  while (queue_.now() < limit) {
    run_for(kAgreementInterval);
    const bool agree = has_quota() ? QuotaChecker::agree(hosts_, *options_.left_out)
                                   : ConvergenceChecker::agree(hosts_, fork_);
    if (agree && narrow_is_told(options_, hosts_, fork_)) {
      return true;
    }
  }
  return false;
}

void Cluster::opened(HostIndex host, const Storage& store) {
  order_.opened(host, store);
  stamps_.read(queue_.now(), host, hosts_[host]->clock().wall());
  epochs_[host] = store.epoch();
  if (replaced_.erase(host) != 0) {
    ledger_.forgive([this](const Dot& dot) {
      for (HostIndex each = 0; each < hosts_.size(); ++each) {
        if (order_.holds(each, dot)) return true;
      }
      return false;
    });
  }
  durability_.opened(host, store);
  followers_.opened(host, store);
}

void Cluster::committed(HostIndex host, const store::CommitResult& result) {
  if (result.epoch) epochs_[host] = *result.epoch;
  order_.committed(host, result);
  members_.committed(host, result);
  stamps_.read(queue_.now(), host, hosts_[host]->clock().wall());
  stamps_.committed(queue_.now(), host, result);
  followers_.committed(host, result);
  latency_.committed(queue_.now(), host, result);
  scope_checker_.committed(host, hosts_[host]->device(), hosts_[host]->scope(), result);
}

void Cluster::epoch_doubted(HostIndex host, bool is_committing) {
  order_.epoch_doubted(host, is_committing);
}

void Cluster::datagram_sent(HostIndex host, ByteView bytes) { datagrams_.sent(host, bytes); }

void Cluster::datagram_left(ByteView bytes) { datagrams_.left(bytes); }

void Cluster::datagram_taken(HostIndex host, ByteView bytes) { datagrams_.taken(host, bytes); }

void Cluster::heard_time(HostIndex host, WallTime wall) { stamps_.read(queue_.now(), host, wall); }

void Cluster::acknowledged(HostIndex host, const store::AppendBatch& batch,
                           const std::vector<store::DotRange>& ranges) {
  (in_gap_ ? gap_ledger_ : ledger_).acknowledge(host, batch, ranges, findings_);
}

MemoryUse Cluster::memory_use(HostIndex host) const {
  const StoreThread& storage = hosts_[host]->storage();
  return {hosts_[host]->heap_bytes(), storage.waiting_bytes(), network_.waiting_bytes(host),
          storage.store()->log_count()};
}

void Cluster::stepped(HostIndex host) {
  if (++steps_[host] % kStepsBetweenMeasures != 0 || !hosts_[host]->running()) return;
  if (!hosts_[host]->honest()) return;
  memory_.check(host, memory_use(host));
}

void Cluster::audit() {
  cursors_.check(hosts_);
  stranger_checker_.check(hosts_);
  queue_.after(kAuditInterval, [this] { audit(); });
}

void Cluster::check_at_rest() {
  if (has_quota()) {
    quota_.check(hosts_, *options_.left_out, options_.quota_events);
  } else {
    convergence_.check(hosts_, fork_, gap_ledger_);
  }
  cursors_.check(hosts_, fork_);
  stranger_checker_.check_at_rest(hosts_);
  for (HostIndex host = 0; host < hosts_.size(); ++host) {
    if (!hosts_[host]->running()) continue;
    followers_.check(host, *hosts_[host]->storage().store());
    presences_.check(host, *hosts_[host]->storage().store());
    if (!hosts_[host]->honest()) continue;
    memory_.check_at_rest(host, memory_use(host));
    signatures_.check_at_rest(host, *hosts_[host]->storage().store());
  }
  if (hosts_.front()->running()) refold_.check(0, *hosts_.front()->storage().store());
}

// Links heal what an engine that stops answering does to its peers, so agreement alone tells little
// of it. What was asked for since the faults are over is answered.
void Cluster::given_up(HostIndex host) {
  if (chaos_ || options_.left_out || queue_.now() - calm_since_ < kAnswerTime) return;
  findings_.add(kLiveness, host, "has waited in vain for an answer, with no fault left");
}

void Cluster::trouble(HostIndex host, const std::string& text) {
  if (host == options_.liar_host()) return;
  findings_.add("host", host, text);
}

Outcome run_schedule(const Schedule& schedule, const std::string& dir, Trace::Lines lines) {
  const PlantedScope scope(schedule.options.bug);
  return Cluster(schedule, dir, std::move(lines)).run();
}

Schedule schedule_of(const Options& options) {
  return {options, plan_faults(options, stream(options.seed, Stream::kFaults))};
}

Outcome run_seed(const Options& options, const std::string& dir, Trace::Lines lines) {
  return run_schedule(schedule_of(options), dir, std::move(lines));
}

}  // namespace ebb::sim
