// Fleet: what a user has or plans: groups of devices, how they are connected, when they are awake,
// what they make. A plan for a run, not a run (sim/fleet_run.h).
//
// Units:   Duration and Instant from the start of the run, which is midnight of the local day;
//          rates in bytes a second; minutes of the day.
// Threads: values and pure functions; any thread.
// Limits:  kFleetDevices.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/rng.h"
#include "core/time.h"
#include "mesh/types.h"
#include "sim/network.h"

namespace ebb::sim {

inline constexpr std::size_t kFleetDevices = 2000;

// From > to goes over midnight.
struct AwakeWindow {
  std::int32_t from = 0;
  std::int32_t to = 0;
};

struct FleetGroup {
  std::string name;
  std::size_t count = 1;
  Access link{milliseconds(20), milliseconds(5), 0, 0, 0};
  bool behind_nat = false;
  // Of a link's day: what it may cost, and when only live events go.
  std::uint64_t daily_bytes = 0;  // 0: no bound
  std::optional<mesh::QuietHours> quiet;
  bool metered = false;
  // Awake in these windows; or so long in each period, at a phase of the device's own; or always.
  std::vector<AwakeWindow> awake;
  Duration awake_for{}, awake_every{};
  Duration event_interval{};  // while awake, half of it to one and a half; zero: makes none
  std::size_t event_bytes = 100;
  std::string topic = "events";
  // Each device is configured with so many devices of each of these groups.
  std::vector<std::size_t> peers;
  std::size_t peers_each = 2;
  // Groups that it reaches, its own included or not; none: all of them.
  std::optional<std::vector<std::size_t>> reaches;
};

// For a while these groups reach each other and nobody else; `apart`: each device is alone.
struct FleetPartition {
  std::vector<std::size_t> groups;
  Instant from;
  Duration lasts{};
  Duration every{};  // again, from `from` on; zero: once
  bool apart = false;
};

struct Fleet {
  std::string name;
  std::uint64_t seed = 1;
  Duration duration = seconds(86400);
  // Afterwards no event is made, and the rest may arrive for so long.
  Duration settle = seconds(3600);
  std::vector<FleetGroup> groups;
  std::vector<FleetPartition> partitions;

  std::size_t devices() const;
  // Devices are numbered group after group.
  std::vector<std::size_t> group_of_devices() const;
};

// A path between them can ever be open; nobody is cut off from himself.
bool may_reach(const Fleet& fleet, std::size_t one_group, std::size_t other_group);
// Whom each device is configured with.
std::vector<std::vector<HostIndex>> fleet_peers(const Fleet& fleet, Rng rng);
// Groups that no chain of groups that know and reach each other connects with the first one, by
// name. (Addresses are learnt along such chains.)
std::vector<std::string> never_met(const Fleet& fleet);

}  // namespace ebb::sim
