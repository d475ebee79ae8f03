#include "sim/options.h"

#include <algorithm>
#include <numeric>

#include "core/rng.h"
#include "sim/fault_plan.h"
#include "sim/planted_bugs.h"

namespace ebb::sim {
namespace {

// Of a generator of its own: what is drawn from it moves nothing else of a seed.
constexpr std::uint64_t kBeside = 0x9e3779b97f4a7c15ULL;

// The others still have to have somebody.
constexpr std::size_t kNodesWithLiar = 4;
constexpr std::size_t kNodesWithScopes = 5;
constexpr std::size_t kNodesWithMembers = 5;
constexpr std::size_t kNodesWithLan = 5;

// Half of the classes, which half is the seed's.
void draw_classes(Rng& rng, Options& options) {
  std::array<std::size_t, kDrawnClasses> order{};
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[rng.below(i)]);
  for (std::size_t i = 0; i < (kDrawnClasses + 1) / 2; ++i)
    options.enabled[order[i]] = true;
}

void draw_plan(Rng& rng, Options& options) {
  const auto chaos_ms = static_cast<std::uint64_t>(options.chaos.ms());
  const auto full_ms = static_cast<std::uint64_t>(kSafetyPhase.ms());
  for (const PlanRow& row : plan_rows()) {
    const std::uint64_t most = row.most + row.most_per_ten_nodes * options.nodes / 10;
    const std::uint64_t drawn = rng.between(row.least, std::max(row.least, most));
    const std::uint64_t scaled = std::max<std::uint64_t>(drawn * chaos_ms / full_ms, 1);
    if (options.has(row.kind)) options.planned[static_cast<std::size_t>(row.kind)] = scaled;
  }
}

void expand_network(Rng& rng, const Options& options, NetworkOptions& network) {
  network.latency_min = milliseconds(static_cast<std::int64_t>(rng.between(1, 20)));
  network.latency_max =
      network.latency_min +
      milliseconds(static_cast<std::int64_t>(rng.between(0, rng.chance(1, 4) ? 300 : 60)));
  network.jitter = milliseconds(static_cast<std::int64_t>(rng.between(0, 30)));
  network.rate = std::uint64_t{50000} << rng.below(8);
  network.chunk_bytes_max = std::uint64_t{256} << rng.below(7);
  const auto up_to = [&](Fault fault, std::uint64_t most) {
    const std::uint64_t drawn = rng.between(1, most);
    return options.has(fault) ? drawn : 0;
  };
  network.stream_loss_permille = up_to(Fault::kStreamDelayed, 100);
  network.stream_resets_per_million = up_to(Fault::kStreamReset, 3000);
  network.stream_flips_per_million = up_to(Fault::kStreamFlipped, 3000);
  network.datagram_loss_permille = up_to(Fault::kDatagramLost, 300);
  network.datagram_duplicate_permille = up_to(Fault::kDatagramDuplicated, 500);
  network.datagram_reorder_permille = up_to(Fault::kDatagramReordered, 500);
  network.datagram_forge_permille = up_to(Fault::kDatagramForged, 500);
  network.datagram_flip_permille = up_to(Fault::kDatagramFlipped, 200);
}

void expand_disk(Rng& rng, const Options& options, DiskOptions& disk) {
  disk.commit_max = milliseconds(static_cast<std::int64_t>(rng.between(1, 40)));
  disk.read_max = milliseconds(static_cast<std::int64_t>(rng.between(1, 20)));
  const auto up_to = [&](Fault fault, std::uint64_t most) {
    const std::uint64_t drawn = rng.between(1, most);
    return options.has(fault) ? drawn : 0;
  };
  disk.commit_late_permille = up_to(Fault::kCommitLate, 50);
  disk.commit_fail_permille = up_to(Fault::kCommitFails, 20);
  disk.read_late_permille = up_to(Fault::kReadLate, 100);
  disk.read_fail_permille = up_to(Fault::kReadFails, 100);
}

// A third of the seeds; each setting in half of those. Drawn beside everything else.
RareOptions expand_rare(Rng rng) {
  RareOptions rare;
  rare.on = rng.chance(1, 3);
  if (!rare.on) return rare;
  const auto maybe = [&rng](auto& setting, auto low, auto high) {
    const std::uint64_t drawn = rng.between(static_cast<std::uint64_t>(low),  //
                                            static_cast<std::uint64_t>(high));
    if (rng.chance(1, 2)) setting = drawn;
  };
  const auto maybe_ms = [&rng](Duration& setting, std::uint64_t low, std::uint64_t high) {
    const std::uint64_t drawn = rng.between(low, high);
    if (rng.chance(1, 2)) setting = milliseconds(static_cast<std::int64_t>(drawn));
  };
  mesh::Tuning& tuning = rare.tuning;
  maybe(tuning.heads_per_message, 1, 3);
  maybe(tuning.credit_bytes, 470000, 550000);
  maybe(tuning.delta_bytes, 1, 2000);
  maybe(tuning.push_bytes, 0, 400);
  maybe(tuning.chunk_bytes, 30, 300);
  maybe(tuning.catch_ups, 1, 1);
  maybe(tuning.inbound_bytes, 560000, 700000);
  maybe(tuning.decoded_bytes, 300000, 600000);
  maybe_ms(rare.ping_idle, 2000, 5000);
  maybe_ms(rare.dead_after, 12000, 15000);
  maybe_ms(rare.handshake_timeout, 3000, 5000);
  maybe_ms(rare.dial_backoff_max, 5000, 60000);
  maybe_ms(rare.gossip_interval, 2000, 20000);
  maybe_ms(rare.shuffle_interval, 2000, 20000);
  maybe_ms(rare.have_batch, 0, 1);
  maybe_ms(rare.have_batch_max, 5, 10);
  maybe_ms(rare.refresh_interval, 2000, 30000);
  maybe(tuning.trial_events, 1, 8);
  maybe(tuning.part_bytes, 1, 2000);
  maybe(tuning.worth_sharing_ms, 0, 10);
  return rare;
}

// In every fourth seed.
void draw_liar(Rng& rng, Options& options) {
  if (!rng.chance(1, 4) || options.nodes < kNodesWithLiar) return;
  options.lie(rng.between(20, 300));
  for (std::size_t i = kDrawnClasses; i < kDrawnClasses + kLies; ++i)
    options.enabled[i] = rng.chance(3, 4);
}

// In every third seed up to a third of the hosts.
void draw_scopes(Rng& rng, Options& options) {
  if (!rng.chance(1, 3) || options.nodes < kNodesWithScopes) return;
  options.partial = rng.between(1, options.nodes / 3);
  options.scopes_move = rng.chance(1, 2);
}

// Each kind of host that is not as the others in some of the seeds; never one that has another part
// to play.
void draw_members(Rng& rng, Options& options) {
  options.issuers = rng.between(1, 2);
  const bool late = rng.chance(1, 3);
  const bool expired = rng.chance(1, 3);
  const bool outsider = rng.chance(1, 3);
  options.outsider_is_certified = late || rng.chance(1, 2);
  const bool renewals = rng.chance(1, 2);
  if (options.nodes < kNodesWithMembers) return;
  // An issuer whose clock is wrong certifies nobody, and nobody sets it right here.
  const bool clocks = options.has(Fault::kClockStep) || options.has(Fault::kClockWalk) ||
                      options.has(Fault::kClockAtBoot);
  const auto last = static_cast<HostIndex>(options.nodes - 1);
  options.renewals = !clocks && renewals;
  if (outsider) options.outsider = last - 1;
  if (late && !clocks) options.late = last - 2;
  if (expired && !clocks) options.expired = last - 3;
}

// In every second seed, where no classes were asked for.
void draw_strangers(Rng& rng, bool are_wanted, Options& options) {
  options.secret = rng.chance(1, 2);
  if (!rng.chance(1, 2)) return;
  options.strangers = rng.between(1, 3);
  for (auto i = static_cast<std::size_t>(kFirstStranger);
       i <= static_cast<std::size_t>(kLastStranger); ++i)
    options.enabled[i] = rng.chance(3, 4);
  if (!are_wanted) options.strange(0);
}

// Each in every third seed.
void draw_limits(Rng& rng, Options& options) {
  for (std::optional<HostIndex>* const host : {&options.narrow, &options.blind}) {
    const bool is_one = rng.chance(1, 3) && options.nodes >= kNodesWithMembers;
    const auto drawn =
        static_cast<HostIndex>(1 + rng.below(std::max<std::size_t>(options.nodes, 2) - 1));
    if (is_one && !options.has_part(drawn)) *host = drawn;
  }
}

// In every third seed; who is known by beacons alone has no other part to play.
void draw_lan(Rng& rng, bool are_wanted, Options& options) {
  if (!rng.chance(1, 3) || options.nodes < kNodesWithLan) return;
  options.lan = rng.between(3, options.nodes / 2 + 1);
  const auto lone = static_cast<HostIndex>(rng.between(1, options.nodes - 1));
  const bool is_lone = rng.chance(2, 3);
  if (is_lone && !options.has_part(lone)) options.lone = lone;
  for (auto i = static_cast<std::size_t>(kFirstBeacon); i < kFaultClasses; ++i)
    options.enabled[i] = are_wanted && rng.chance(3, 4);
}

std::string ms_text(Duration duration) { return std::to_string(duration.ms()) + " ms"; }

// What is not as it always is.
std::string rare_text(const RareOptions& rare) {
  const RareOptions usual;
  std::string text;
  const auto add = [&text](const char* name, std::uint64_t value, std::uint64_t as_always) {
    if (value == as_always) return;
    if (!text.empty()) text += ' ';
    text += std::string(name) + '=' + std::to_string(value);
  };
  const auto add_ms = [&add](const char* name, Duration value, Duration as_always) {
    add(name, static_cast<std::uint64_t>(value.ms()), static_cast<std::uint64_t>(as_always.ms()));
  };
  const mesh::Tuning& tuning = rare.tuning;
  add("heads_per_message", tuning.heads_per_message, usual.tuning.heads_per_message);
  add("credit_bytes", tuning.credit_bytes, usual.tuning.credit_bytes);
  add("delta_bytes", tuning.delta_bytes, usual.tuning.delta_bytes);
  add("push_bytes", tuning.push_bytes, usual.tuning.push_bytes);
  add("chunk_bytes", tuning.chunk_bytes, usual.tuning.chunk_bytes);
  add("catch_ups", tuning.catch_ups, usual.tuning.catch_ups);
  add("inbound_bytes", tuning.inbound_bytes, usual.tuning.inbound_bytes);
  add("decoded_bytes", tuning.decoded_bytes, usual.tuning.decoded_bytes);
  add("trial_events", tuning.trial_events, usual.tuning.trial_events);
  add("part_bytes", tuning.part_bytes, usual.tuning.part_bytes);
  add("worth_sharing_ms", tuning.worth_sharing_ms, usual.tuning.worth_sharing_ms);
  add_ms("ping_idle_ms", rare.ping_idle, usual.ping_idle);
  add_ms("dead_after_ms", rare.dead_after, usual.dead_after);
  add_ms("handshake_timeout_ms", rare.handshake_timeout, usual.handshake_timeout);
  add_ms("dial_backoff_max_ms", rare.dial_backoff_max, usual.dial_backoff_max);
  add_ms("gossip_interval_ms", rare.gossip_interval, usual.gossip_interval);
  add_ms("shuffle_interval_ms", rare.shuffle_interval, usual.shuffle_interval);
  add_ms("have_batch_ms", rare.have_batch, usual.have_batch);
  add_ms("have_batch_max_ms", rare.have_batch_max, usual.have_batch_max);
  add_ms("refresh_interval_ms", rare.refresh_interval, usual.refresh_interval);
  return text.empty() ? "none" : text;
}

std::string members_text(const Options& options) {
  if (options.issuers == 0) return "open";
  std::string text = std::to_string(options.issuers) + " issuers";
  const auto add = [&text](const char* what, const std::optional<HostIndex>& host) {
    if (host) text += std::string(", ") + what + " host " + std::to_string(*host);
  };
  if (options.renewals) text += ", renewals";
  add("late", options.late);
  add("expired", options.expired);
  add("narrow", options.narrow);
  add("blind", options.blind);
  add(options.outsider_is_certified ? "mute" : "uncertified", options.outsider);
  return text;
}

std::string classes_text(const Options& options) {
  std::string classes;
  for (std::size_t i = 0; i < kFaultClasses; ++i) {
    if (!options.enabled[i]) continue;
    if (!classes.empty()) classes += ' ';
    classes += kFaultTable[i].name;
    if (options.planned[i] > 0) classes += '=' + std::to_string(options.planned[i]);
  }
  return classes;
}

}  // namespace

Options expand_seed(std::uint64_t seed, std::size_t nodes, Duration chaos,
                    const std::optional<FaultSet>& classes) {
  Rng rng(seed);
  Options options;
  options.seed = seed;
  options.scenario = "faults";
  options.nodes = nodes;
  options.chaos = chaos;
  options.real = rng.chance(1, 4);
  draw_classes(rng, options);
  if (classes) options.enabled = *classes;
  draw_plan(rng, options);
  const std::uint64_t batches = 40 + rng.below(400);
  options.append_batches =
      std::max<std::uint64_t>(batches * static_cast<std::uint64_t>(chaos.ms()) /
                                  static_cast<std::uint64_t>(kSafetyPhase.ms()),
                              40);
  options.extra_peers = rng.below(nodes);
  options.wall_skew_max = seconds(static_cast<std::int64_t>(rng.below(90)));
  expand_network(rng, options, options.network);
  expand_disk(rng, options, options.disk);
  Rng beside(seed ^ kBeside);
  options.rare = expand_rare(beside.fork());
  options.mixed_wire = beside.chance(1, 2);
  draw_liar(beside, options);
  draw_scopes(beside, options);
  options.real_channel = beside.chance(1, 20);
  draw_members(beside, options);
  draw_strangers(beside, !classes, options);
  draw_lan(beside, !classes, options);
  draw_limits(beside, options);
  return options;
}

std::vector<std::pair<std::string, std::string>> describe(const Options& options) {
  const NetworkOptions& network = options.network;
  const DiskOptions& disk = options.disk;
  const auto permille = [](std::uint64_t value) { return std::to_string(value) + " permille"; };
  return {
      {"scenario", options.scenario},
      {"nodes", std::to_string(options.nodes)},
      {"real", options.real ? "yes" : "no"},
      {"real_channel", options.real_channel ? "yes" : "no"},
      {"chaos", ms_text(options.chaos)},
      {"rounds_max", std::to_string(options.rounds_max)},
      {"append_batches", std::to_string(options.append_batches)},
      {"steady_interval", ms_text(options.steady_interval)},
      {"extra_peers", std::to_string(options.extra_peers)},
      {"fault_classes", classes_text(options)},
      {"wall_skew_max", ms_text(options.wall_skew_max)},
      {"latency", ms_text(network.latency_min) + " to " + ms_text(network.latency_max)},
      {"jitter", ms_text(network.jitter)},
      {"rate", std::to_string(network.rate) + " B/s"},
      {"chunk_bytes_max", std::to_string(network.chunk_bytes_max)},
      {"stream_loss", permille(network.stream_loss_permille)},
      {"stream_resets", std::to_string(network.stream_resets_per_million) + " per million"},
      {"stream_flips", std::to_string(network.stream_flips_per_million) + " per million"},
      {"datagram_loss", permille(network.datagram_loss_permille)},
      {"datagram_duplicate", permille(network.datagram_duplicate_permille)},
      {"datagram_reorder", permille(network.datagram_reorder_permille)},
      {"datagram_forge", permille(network.datagram_forge_permille)},
      {"datagram_flip", permille(network.datagram_flip_permille)},
      {"commit_max", ms_text(disk.commit_max)},
      {"read_max", ms_text(disk.read_max)},
      {"commit_late", permille(disk.commit_late_permille)},
      {"commit_fail", permille(disk.commit_fail_permille)},
      {"read_late", permille(disk.read_late_permille)},
      {"read_fail", permille(disk.read_fail_permille)},
      {"rare_paths", rare_text(options.rare)},
      {"wire_versions", options.mixed_wire ? "1 and 2" : "1"},
      {"partial",
       std::to_string(options.partial) + (options.scopes_move ? " hosts, growing" : " hosts")},
      {"liar", options.liar ? "host " + std::to_string(*options.liar_host()) + ", " +
                                  permille(options.lies_permille)
                            : "none"},
      {"members", members_text(options)},
      {"secret", options.secret ? "yes" : "no"},
      {"strangers", std::to_string(options.strangers)},
      {"lan", std::to_string(options.lan) + " hosts" +
                  (options.lone ? ", alone host " + std::to_string(*options.lone) : "")},
      {"bug", std::string(bug_name(options.bug))},
  };
}

}  // namespace ebb::sim
