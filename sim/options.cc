#include "sim/options.h"

#include "core/rng.h"

namespace ebb::sim {
namespace {

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
  network.datagram_loss_permille = up_to(Fault::kDatagramLost, 300);
  network.datagram_duplicate_permille = up_to(Fault::kDatagramDuplicated, 500);
  network.datagram_reorder_permille = up_to(Fault::kDatagramReordered, 500);
}

std::string ms_text(Duration duration) { return std::to_string(duration.ms()) + " ms"; }

}  // namespace

Options expand_seed(std::uint64_t seed, std::size_t nodes) {
  Rng rng(seed);
  Options options;
  options.seed = seed;
  options.nodes = nodes;
  for (bool& enabled : options.enabled)
    enabled = rng.chance(1, 2);
  options.chaos = seconds(static_cast<std::int64_t>(rng.between(20, 120)));
  options.append_batches = 40 + rng.below(100);
  options.extra_peers = rng.below(nodes);
  options.host_faults =
      options.has(Fault::kCleanStop) || options.has(Fault::kKill) || options.has(Fault::kPowerLoss)
          ? rng.between(1, nodes)
          : 0;
  options.partitions = options.has(Fault::kPartition) || options.has(Fault::kPartitionOneWay) ||
                               options.has(Fault::kIsolation)
                           ? rng.between(1, 6)
                           : 0;
  options.disk_full_windows = options.has(Fault::kDiskFull) ? rng.between(1, 5) : 0;
  options.late_starts = options.has(Fault::kLateStart) ? rng.between(1, 1 + nodes / 4) : 0;
  options.wall_skew_max = seconds(static_cast<std::int64_t>(rng.below(90)));
  expand_network(rng, options, options.network);
  options.disk.commit_max = milliseconds(static_cast<std::int64_t>(rng.between(1, 40)));
  options.disk.read_max = milliseconds(static_cast<std::int64_t>(rng.between(1, 20)));
  options.disk.stall_permille = options.has(Fault::kDiskStall) ? rng.between(1, 50) : 0;
  return options;
}

std::vector<std::pair<std::string, std::string>> describe(const Options& options) {
  const NetworkOptions& network = options.network;
  std::string classes;
  for (std::size_t i = 0; i < kFaultClasses; ++i) {
    if (!options.enabled[i]) continue;
    if (!classes.empty()) classes += ' ';
    classes += fault_name(static_cast<Fault>(i));
  }
  return {
      {"nodes", std::to_string(options.nodes)},
      {"chaos", ms_text(options.chaos)},
      {"patience", ms_text(options.patience)},
      {"append_batches", std::to_string(options.append_batches)},
      {"extra_peers", std::to_string(options.extra_peers)},
      {"fault_classes", classes},
      {"host_faults", std::to_string(options.host_faults)},
      {"partitions", std::to_string(options.partitions)},
      {"disk_full_windows", std::to_string(options.disk_full_windows)},
      {"late_starts", std::to_string(options.late_starts)},
      {"wall_skew_max", ms_text(options.wall_skew_max)},
      {"latency", ms_text(network.latency_min) + " to " + ms_text(network.latency_max)},
      {"jitter", ms_text(network.jitter)},
      {"rate", std::to_string(network.rate) + " B/s"},
      {"chunk_bytes_max", std::to_string(network.chunk_bytes_max)},
      {"stream_loss", std::to_string(network.stream_loss_permille) + " permille"},
      {"stream_resets", std::to_string(network.stream_resets_per_million) + " per million"},
      {"datagram_loss", std::to_string(network.datagram_loss_permille) + " permille"},
      {"datagram_duplicate", std::to_string(network.datagram_duplicate_permille) + " permille"},
      {"datagram_reorder", std::to_string(network.datagram_reorder_permille) + " permille"},
      {"commit_max", ms_text(options.disk.commit_max)},
      {"read_max", ms_text(options.disk.read_max)},
      {"disk_stall", std::to_string(options.disk.stall_permille) + " permille"},
  };
}

}  // namespace ebb::sim
