#include "sim/fleet_run.h"

#include <algorithm>
#include <utility>

#include "codec/value.h"
#include "core/check.h"
#include "core/limits.h"

namespace ebb::sim {
namespace {

constexpr WallTime kMidnight{1767225600000};  // 2026-01-01T00:00:00Z
constexpr std::int64_t kFirstDay = kMidnight.ms / (std::int64_t{86400} * 1000);
constexpr Duration kMinute = seconds(60);
constexpr Duration kDay = seconds(86400);
constexpr Duration kStartWithin = seconds(60);
constexpr std::int64_t kSamples = 240;  // of completeness
constexpr std::int64_t kProgressSteps = 200;
constexpr std::size_t kTroublesKept = 20;

Duration draw_below(Rng& rng, Duration bound) {
  if (bound <= Duration{}) return {};
  return microseconds(static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(bound.us))));
}

// A plan wants the usual, not the worst: no write is cut where no network would cut it.
NetworkOptions whole_writes() {
  NetworkOptions options;
  options.chunk_bytes_max = 16384;
  options.cuts = false;
  return options;
}

// Between any two devices, but not less than what keeps windows worth their while.
Duration least_latency(const Fleet& fleet) {
  constexpr Duration kLeast = microseconds(200);
  constexpr Duration kMost = milliseconds(20);
  std::vector<Duration> latencies;
  for (const FleetGroup& group : fleet.groups)
    latencies.insert(latencies.end(), std::min<std::size_t>(group.count, 2), group.link.latency);
  std::sort(latencies.begin(), latencies.end());
  if (latencies.size() < 2) return kMost;
  return std::clamp(latencies[0] + latencies[1], kLeast, kMost);
}

std::int32_t minute_of_day(Instant now) {
  return static_cast<std::int32_t>(now.us % kDay.us / kMinute.us);
}

}  // namespace

FleetRun::FleetRun(Fleet fleet, std::size_t threads)
    : fleet_(std::move(fleet)),
      rng_(fleet_.seed),
      meter_(fleet_.group_of_devices(), fleet_.groups.size()),
      network_(
          network_queue_, rng_.fork(), whole_writes(), fleet_.devices(), counts_,
          [this](HostIndex host, mesh::Input input) { lockstep_.deliver(host, std::move(input)); }),
      lockstep_(network_queue_, network_, *this, least_latency(fleet_), threads),
      links_seen_(fleet_.groups.size() * fleet_.groups.size(), 0) {
  EBB_CHECK(fleet_.devices() > 0 && fleet_.devices() <= kFleetDevices);
  for (const std::size_t group : fleet_.group_of_devices()) {
    devices_.emplace_back().group = group;
  }
  make_network();
  make_hosts(rng_.fork());
  schedule();
}

// A host takes nearly as long to be given back as a second of its life to be run.
FleetRun::~FleetRun() {
  lockstep_.each([this](HostIndex host) { hosts_[host].reset(); });
}

void FleetRun::make_network() {
  network_.set_meter(
      [this](HostIndex from, HostIndex to, std::size_t bytes) { meter_.sent(from, to, bytes); });
  std::vector<Direction> never;
  for (HostIndex host = 0; host < devices_.size(); ++host) {
    network_.set_access(host, group_of(host).link);
    if (group_of(host).behind_nat) network_.set_behind_nat(host);
    for (HostIndex other = 0; other < devices_.size(); ++other) {
      const bool open = may_reach(fleet_, devices_[host].group, devices_[other].group);
      if (other != host && !open) never.push_back({host, other});
    }
  }
  if (!never.empty()) network_.cut(std::move(never));
}

void FleetRun::make_hosts(Rng rng) {
  Bytes mesh;
  append_be64(mesh, rng.next());
  append_be64(mesh, rng.next());
  const auto peers = fleet_peers(fleet_, rng.fork());
  for (HostIndex index = 0; index < devices_.size(); ++index) {
    const FleetGroup& group = group_of(index);
    Host::Setup setup;
    setup.index = index;
    setup.folds = false;  // nobody asks for what it folds
    setup.mesh = *MeshId::from(mesh);
    for (const HostIndex peer : peers[index])
      setup.peers.push_back(Network::address(peer));
    setup.wall_at_start = kMidnight;
    setup.built = {kMidnight.ms - kDay.ms()};
    setup.metered = group.metered;
    if (group.daily_bytes > 0 || group.quiet) {
      setup.link_classes.push_back({group.name, {"*"}, group.daily_bytes, group.quiet});
    }
    Lane& lane = lockstep_.add_lane(
        [this, index](mesh::Input input) { hosts_[index]->deliver(std::move(input)); });
    const Host::World world{lane.queue(), lane, lane.trace(), lane, lane.counts()};
    hosts_.push_back(std::make_unique<Host>(world, std::move(setup), rng.fork()));
    devices_[index].phase = draw_below(rng, group.awake_every);
    devices_[index].rng = rng.fork();
  }
}

void FleetRun::schedule() {
  for (HostIndex host = 0; host < devices_.size(); ++host) {
    queue_.after(draw_below(rng_, kStartWithin), [this, host] { start(host); });
  }
  for (const FleetPartition& partition : fleet_.partitions)
    queue_.at(partition.from, [this, &partition] { begin_partition(partition); });
  queue_.after(kMinute, [this] { each_minute(); });
}

void FleetRun::start(HostIndex host) {
  Status started;
  lockstep_.act(host, [&] { started = hosts_[host]->start(); });
  if (!started) return trouble(host, "does not start: " + started.error().message());
  tell_time(host);
  keep_schedule(host);
  const Duration interval = group_of(host).event_interval;
  if (interval > Duration{}) {
    lockstep_.act(host, [&] {
      lockstep_.lane(host).queue().after(draw_below(devices_[host].rng, interval),
                                         [this, host] { make_events(host); });
    });
  }
}

void FleetRun::tell_time(HostIndex host) {
  const FleetGroup& group = group_of(host);
  if (group.daily_bytes == 0 && !group.quiet) return;
  const mesh::LocalTime time{kFirstDay + queue_.now().us / kDay.us, minute_of_day(queue_.now())};
  lockstep_.act(host, [&] { hosts_[host]->deliver(time); });
}

void FleetRun::each_minute() {
  for (HostIndex host = 0; host < devices_.size(); ++host) {
    if (!devices_[host].asleep) tell_time(host);
  }
  sample_links();
  queue_.after(kMinute, [this] { each_minute(); });
}

void FleetRun::begin_partition(const FleetPartition& partition) {
  std::vector<Direction> paths;
  const auto is_in = [&](HostIndex host) {
    return std::find(partition.groups.begin(), partition.groups.end(), devices_[host].group) !=
           partition.groups.end();
  };
  for (HostIndex one = 0; one < devices_.size(); ++one) {
    for (HostIndex other = 0; other < devices_.size(); ++other) {
      const bool is_cut = partition.apart ? is_in(one) || is_in(other) : is_in(one) != is_in(other);
      if (one != other && is_cut) paths.push_back({one, other});
    }
  }
  const CutId cut = network_.cut(std::move(paths));
  queue_.after(partition.lasts, [this, cut] { network_.heal(cut); });
  if (partition.every > Duration{}) {
    queue_.after(partition.every, [this, &partition] { begin_partition(partition); });
  }
}

bool FleetRun::is_window_open(const FleetGroup& group) const {
  const std::int32_t minute = minute_of_day(queue_.now());
  return std::any_of(group.awake.begin(), group.awake.end(), [&](const AwakeWindow& window) {
    if (window.from <= window.to) return window.from <= minute && minute < window.to;
    return minute >= window.from || minute < window.to;
  });
}

void FleetRun::keep_schedule(HostIndex host) {
  const FleetGroup& group = group_of(host);
  if (!group.awake.empty()) {
    is_window_open(group) ? wake(host) : fall_asleep(host);
    // A little apart, so that a group does not come up in one instant.
    const Duration rest = kMinute - microseconds(queue_.now().us % kMinute.us);
    const Duration apart = microseconds(std::int64_t{host % 1000} * 1000);
    queue_.after(rest + apart, [this, host] { keep_schedule(host); });
    return;
  }
  if (group.awake_every <= Duration{}) return;
  const std::int64_t into = (queue_.now().us + devices_[host].phase.us) % group.awake_every.us;
  const bool awake = into < group.awake_for.us;
  awake ? wake(host) : fall_asleep(host);
  const std::int64_t until = awake ? group.awake_for.us : group.awake_every.us;
  queue_.after(microseconds(until - into), [this, host] { keep_schedule(host); });
}

void FleetRun::fall_asleep(HostIndex host) {
  Device& device = devices_[host];
  if (device.asleep) return;
  device.awake = device.awake + (queue_.now() - device.awake_since);
  lockstep_.act(host, [&] { hosts_[host]->pause(); });
  std::vector<Direction> paths;
  for (HostIndex other = 0; other < devices_.size(); ++other) {
    if (other == host) continue;
    paths.push_back({other, host});
    paths.push_back({host, other});
  }
  device.asleep = network_.cut(std::move(paths));
}

void FleetRun::wake(HostIndex host) {
  Device& device = devices_[host];
  if (!device.asleep) return;
  network_.heal(*std::exchange(device.asleep, std::nullopt));
  device.awake_since = queue_.now();
  lockstep_.act(host, [&] { hosts_[host]->resume(); });
  tell_time(host);
}

store::AppendBatch FleetRun::event_of(HostIndex host) {
  const FleetGroup& group = group_of(host);
  codec::ValueBuilder builder(limits::kPayloadBytes, limits::kDepth);
  builder.begin_map();
  builder.key("n");
  builder.uint(++devices_[host].serial);
  builder.key("text");
  // What no compression makes much shorter.
  std::string text;
  constexpr std::size_t kAround = 9;  // of the map, its keys and the number
  while (text.size() + kAround < group.event_bytes)
    text.push_back(static_cast<char>('0' + devices_[host].rng.below(64)));
  builder.str(text);
  builder.end_map();
  Result<Bytes> payload = builder.finish();
  EBB_CHECK(payload.ok());
  store::AppendEvent event;
  event.type = group.name;
  event.payload = std::move(*payload);
  return {group.topic, {event}};
}

void FleetRun::make_events(HostIndex host) {
  if (!makes_events_) return;
  if (!devices_[host].asleep) hosts_[host]->append(event_of(host));
  const Duration interval = group_of(host).event_interval;
  lockstep_.lane(host).queue().after(interval / 2 + draw_below(devices_[host].rng, interval),
                                     [this, host] { make_events(host); });
}

void FleetRun::trouble(HostIndex host, const std::string& text) {
  if (troubles_.size() == kTroublesKept) return;
  troubles_.push_back(group_of(host).name + " " + std::to_string(host) + ": " + text);
}

void FleetRun::sample() {
  CompletenessSample sample{queue_.now(), meter_.complete(), meter_.complete_worst(), {}};
  for (std::size_t group = 0; group < fleet_.groups.size(); ++group)
    sample.groups.push_back(meter_.complete(group));
  samples_.push_back(std::move(sample));
}

void FleetRun::sample_links() {
  ++link_samples_;
  for (const Direction& pair : network_.connected()) {
    if (devices_[pair.from].asleep || devices_[pair.to].asleep) continue;
    const auto [first, second] = std::minmax(devices_[pair.from].group, devices_[pair.to].group);
    ++links_seen_[first * fleet_.groups.size() + second];
  }
}

void FleetRun::run_until(Instant limit) {
  for (auto next = queue_.next(); next && *next <= limit; next = queue_.next()) {
    lockstep_.run_until(*next);
    queue_.run_next(*next);
  }
  lockstep_.run_until(limit);
  queue_.run_next(limit);
}

FleetReport FleetRun::run(const std::function<void(Instant, Duration)>& progress) {
  const Duration all = fleet_.duration + fleet_.settle;
  const Duration between = microseconds(std::max<std::int64_t>(fleet_.duration.us / kSamples, 1));
  const Instant end_of_events = Instant{} + fleet_.duration;
  std::int64_t told = -1;
  bool complete = false;
  Instant next = Instant{} + between;
  while (!complete && next <= Instant{} + all) {
    run_until(next);
    sample();
    if (progress && next.us * kProgressSteps / all.us != told) {
      told = next.us * kProgressSteps / all.us;
      progress(next, all);
    }
    makes_events_ = makes_events_ && next < end_of_events;
    complete = !makes_events_ && meter_.complete_worst() == 1000 &&
               meter_.deliveries() == meter_.events() * (devices_.size() - 1);
    if (!makes_events_ && complete) break;
    next = next + between;
  }
  return report(complete, queue_.now());
}

FleetReport FleetRun::report(bool complete, Instant complete_at) {
  FleetReport report(fleet_, std::move(meter_));
  report.ran_for = queue_.now() - Instant{};
  report.complete = complete;
  report.complete_at = complete_at - (Instant{} + fleet_.duration);
  report.samples = std::move(samples_);
  for (std::size_t first = 0; first < fleet_.groups.size(); ++first) {
    for (std::size_t second = first; second < fleet_.groups.size(); ++second) {
      const std::uint64_t seen = links_seen_[first * fleet_.groups.size() + second];
      const std::uint64_t bytes = report.meter.bytes_between(first, second);
      if (seen == 0 && bytes == 0) continue;
      report.links.push_back(
          {first, second, seen * 1000 / std::max<std::uint64_t>(link_samples_, 1), bytes});
    }
  }
  std::map<std::string, KindUse> kinds;
  for (HostIndex host = 0; host < hosts_.size(); ++host) {
    Device& device = devices_[host];
    if (!device.asleep) device.awake = device.awake + (queue_.now() - device.awake_since);
    report.awake.push_back(device.awake);
    if (hosts_[host]->engine() == nullptr) continue;
    const mesh::Counters& counters = hosts_[host]->engine()->counters();
    report.received += counters.events_received;
    report.repeated += counters.events_redundant;
    for (const auto& [name, count] : counters.messages) {
      KindUse& kind = kinds[std::string(name)];
      kind.name = std::string(name);
      kind.messages += count.messages_out;
      kind.bytes += count.bytes_out;
    }
  }
  for (auto& [name, kind] : kinds)
    report.kinds.push_back(std::move(kind));
  std::stable_sort(report.kinds.begin(), report.kinds.end(),
                   [](const KindUse& a, const KindUse& b) { return a.bytes > b.bytes; });
  TraceMix trace;
  for (HostIndex host = 0; host < hosts_.size(); ++host) {
    report.steps += lockstep_.lane(host).trace().steps();
    trace.bytes(lockstep_.lane(host).trace().hash().view());
    trace.stir();
  }
  report.lost_packets = counts_.of(Fault::kStreamDelayed) + counts_.of(Fault::kDatagramLost);
  report.trace = trace.hash();
  report.troubles = troubles_;
  return report;
}

}  // namespace ebb::sim
