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
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/planted.h"
#include "core/time.h"
#include "mesh/tuning.h"
#include "sim/faults.h"

namespace ebb::sim {

using HostIndex = std::uint32_t;

// The protocol's: agreement is asked for in rounds of it.
inline constexpr Duration kGossipRound = seconds(60);
// What the suite's seeds run for under faults.
inline constexpr Duration kSafetyPhase = seconds(1700);

struct NetworkOptions {
  Duration latency_min = milliseconds(1);  // one way; each ordered pair draws its own
  Duration latency_max = milliseconds(20);
  Duration jitter = milliseconds(2);
  std::uint64_t rate = 1000000;
  std::uint64_t chunk_bytes_max = 4096;  // streams are cut at random places into pieces up to this
  bool cuts = true;                      // one write in four, at places of chance
  std::uint64_t stream_loss_permille = 0;
  std::uint64_t stream_resets_per_million = 0;  // of the pieces
  std::uint64_t stream_flips_per_million = 0;   // the same
  std::uint64_t datagram_loss_permille = 0;
  std::uint64_t datagram_duplicate_permille = 0;
  std::uint64_t datagram_reorder_permille = 0;
  std::uint64_t datagram_forge_permille = 0;
  std::uint64_t datagram_flip_permille = 0;
  Duration dial_timeout = seconds(10);
  bool operator==(const NetworkOptions&) const = default;
};

// Of the commits, of the reads.
struct DiskOptions {
  Duration commit_min = microseconds(200);
  Duration commit_max = milliseconds(5);
  Duration read_max = milliseconds(2);
  std::uint64_t commit_late_permille = 0;
  std::uint64_t commit_fail_permille = 0;
  std::uint64_t read_late_permille = 0;
  std::uint64_t read_fail_permille = 0;
  bool operator==(const DiskOptions&) const = default;
};

// What makes rare paths of an engine common: tiny buffers and pages, early timeouts.
struct RareOptions {
  bool on = false;
  mesh::Tuning tuning;
  Duration ping_idle = seconds(15);
  Duration dead_after = seconds(45);
  Duration handshake_timeout = seconds(10);
  Duration dial_backoff_max = seconds(300);
  Duration gossip_interval = seconds(60);
  Duration shuffle_interval = seconds(60);
  Duration have_batch = milliseconds(5);
  Duration have_batch_max = milliseconds(50);
  Duration refresh_interval = seconds(600);

  bool operator==(const RareOptions&) const = default;
};

// Which classes a run may have.
using FaultSet = std::array<bool, kFaultClasses>;

struct Options {
  std::uint64_t seed = 0;
  std::string scenario;  // as sim/scenarios.h names it; empty: made by hand
  std::size_t nodes = 20;
  // The daemon's store on files and Ed25519, instead of the faster ones of the simulator.
  bool real = false;
  bool real_channel = false;      // the daemon's, instead of the stand-in
  bool secret = false;            // the mesh has one, as the daemon's always has
  Duration chaos = kSafetyPhase;  // faults and appends happen in this time
  std::uint64_t rounds_max = 10;  // of gossip: so many it may take to agree afterwards
  std::size_t append_batches = 120;
  // Each host appends one small event so often, beside the batches; zero: it does not.
  Duration steady_interval;
  std::size_t extra_peers = 5;  // beyond the tree that keeps the peer lists connected
  FaultSet enabled{};
  // How many of each class are planned; those that happen by chance have rates instead.
  std::array<std::uint64_t, kFaultClasses> planned{};
  Duration wall_skew_max = seconds(30);
  NetworkOptions network;
  DiskOptions disk;
  RareOptions rare;  // of every host
  // The last host lies: in so many of its messages, and some it says so many times more.
  bool liar = false;
  std::uint64_t lies_permille = 0;
  std::uint64_t floods = 0;
  bool mixed_wire = false;    // half of the hosts send what a later version might
  std::uint64_t partial = 0;  // hosts that take part in some logs only
  bool scopes_move = false;   // and in more of them with each start, now and then
  // The hosts are certified, by so many issuers (0: an open mesh). One may come without a
  // certificate, and be let in by the mesh's secret; one with one that has ended. An outsider has
  // none, where nobody is let in that way; or it has one that lets it write nothing, and writes.
  std::uint64_t issuers = 0;
  std::optional<HostIndex> late, expired, outsider;
  bool outsider_is_certified = false;
  // May write topics of one prefix alone, and writes others as well; may not read.
  std::optional<HostIndex> narrow, blind;
  bool renewals = false;      // the certificates of all others are due from the beginning
  std::size_t strangers = 0;  // who are no hosts, and do what is enabled of theirs
  // So many hosts hear each other's beacons, host 0 among them; and one of them that has nobody's
  // address otherwise, and is in nobody's list.
  std::size_t lan = 0;
  std::optional<HostIndex> lone;
  Bug bug = Bug::kNone;  // of every host
  // A host that the latencies leave out, and what is wrong with it all the time: how slowly it
  // reads (0: as the others), and whether it hears nobody, who all hear it.
  std::optional<HostIndex> left_out;
  std::uint64_t left_out_read_rate = 0;
  bool left_out_is_deaf = false;
  // It writes so many events where the others write one steadily; of each author every host takes
  // so many of a day (0: as the daemon does).
  std::uint64_t left_out_writes = 1;
  std::uint64_t quota_events = 0;
  // After the first agreement host 0 comes back with its store of the middle of the chaos.
  bool restore = false;
  // And is written to before it hears anybody.
  bool restore_gap = false;
  // And has written nothing since then: what it loses is of others. When it has been told it loses
  // its power.
  bool restore_quiet = false;

  bool operator==(const Options&) const = default;
  bool has(Fault fault) const { return enabled[static_cast<std::size_t>(fault)]; }
  std::uint64_t planned_of(Fault fault) const { return planned[static_cast<std::size_t>(fault)]; }
  // So many of the class, whatever the seed says.
  void plan(Fault fault, std::uint64_t count) {
    enabled[static_cast<std::size_t>(fault)] = count > 0;
    planned[static_cast<std::size_t>(fault)] = count;
  }
  std::optional<HostIndex> liar_host() const {
    return liar ? std::optional(static_cast<HostIndex>(nodes - 1)) : std::nullopt;
  }
  // It lies in every way.
  void lie(std::uint64_t permille) {
    liar = true;
    lies_permille = permille;
    for (std::size_t i = kDrawnClasses; i < kDrawnClasses + kLies; ++i)
      enabled[i] = permille > 0;
  }
  // So many strangers, who do all that strangers do.
  void strange(std::size_t count) {
    strangers = count;
    for (auto i = static_cast<std::size_t>(kFirstStranger);
         i <= static_cast<std::size_t>(kLastStranger); ++i)
      enabled[i] = count > 0;
  }
  // A host that is not as the others, for one reason or another.
  bool has_part(HostIndex host) const {
    return host == late || host == expired || host == outsider || host == narrow || host == blind ||
           host == lone || host == liar_host();
  }
  Duration patience() const { return kGossipRound * static_cast<std::int64_t>(rounds_max); }
};

// `classes`: these instead of the half that the seed would draw.
Options expand_seed(std::uint64_t seed, std::size_t nodes, Duration chaos = kSafetyPhase,
                    const std::optional<FaultSet>& classes = std::nullopt);

// (name, value) of each option, for people.
std::vector<std::pair<std::string, std::string>> describe(const Options& options);

}  // namespace ebb::sim
