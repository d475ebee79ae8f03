// Options: everything that a seed decides, drawn once and printed, so that a failing run can be
// read before it is replayed.
//
// Model:   expand_seed() is a pure function; each seed switches a random half of the fault classes
//          off (a swarm finds more than a mean).
// Units:   permille: of a thousand; rates in bytes per second and direction of a connection.
// Threads: values; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/time.h"
#include "sim/faults.h"

namespace ebb::sim {

using HostIndex = std::uint32_t;

struct NetworkOptions {
  Duration latency_min = milliseconds(1);  // one way; each ordered pair draws its own
  Duration latency_max = milliseconds(20);
  Duration jitter = milliseconds(2);
  std::uint64_t rate = 1000000;
  std::uint64_t chunk_bytes_max = 4096;  // streams are cut at random places into pieces up to this
  std::uint64_t stream_loss_permille = 0;
  std::uint64_t stream_resets_per_million = 0;  // of the pieces
  std::uint64_t datagram_loss_permille = 0;
  std::uint64_t datagram_duplicate_permille = 0;
  std::uint64_t datagram_reorder_permille = 0;
  Duration dial_timeout = seconds(10);
};

struct DiskOptions {
  Duration commit_min = microseconds(200);
  Duration commit_max = milliseconds(5);
  Duration read_max = milliseconds(2);
  std::uint64_t stall_permille = 0;  // of the commits; a stall takes up to two seconds
};

// A deliberate defect of one host: what the checkers are for, and how they are tested.
enum class PlantedBug : std::uint8_t {
  kNone,
  kForgetsSegments,       // every 50th foreign segment is answered as stored, and is not
  kAcknowledgesTooEarly,  // clients are told before the commit
  kRestoresOldStore,      // a restart brings back the store as it was at the start before
};

struct Options {
  std::uint64_t seed = 0;
  std::size_t nodes = 20;
  Duration chaos = seconds(60);      // faults and appends happen in this time
  Duration patience = seconds(600);  // ten gossip rounds: so long it may take to agree afterwards
  std::size_t append_batches = 120;
  std::size_t extra_peers = 5;  // beyond the tree that keeps the peer lists connected
  std::array<bool, kFaultClasses> enabled{};
  std::size_t host_faults = 0;  // stops, kills, power losses
  std::size_t partitions = 0;   // of all three shapes
  std::size_t disk_full_windows = 0;
  std::size_t late_starts = 0;
  Duration wall_skew_max = seconds(30);
  NetworkOptions network;
  DiskOptions disk;
  PlantedBug bug = PlantedBug::kNone;
  HostIndex bug_host = 0;
  // After the first agreement host 0 comes back with its store of the middle of the chaos.
  bool restore = false;

  bool has(Fault fault) const { return enabled[static_cast<std::size_t>(fault)]; }
};

Options expand_seed(std::uint64_t seed, std::size_t nodes);

// (name, value) of each option, for people.
std::vector<std::pair<std::string, std::string>> describe(const Options& options);

}  // namespace ebb::sim
