#include "sim/fleet.h"

#include <algorithm>
#include <numeric>

namespace ebb::sim {
namespace {

bool names(const std::optional<std::vector<std::size_t>>& groups, std::size_t group) {
  return !groups || std::find(groups->begin(), groups->end(), group) != groups->end();
}

}  // namespace

std::size_t Fleet::devices() const {
  std::size_t count = 0;
  for (const FleetGroup& group : groups)
    count += group.count;
  return count;
}

std::vector<std::size_t> Fleet::group_of_devices() const {
  std::vector<std::size_t> groups_of;
  for (std::size_t group = 0; group < groups.size(); ++group)
    groups_of.insert(groups_of.end(), groups[group].count, group);
  return groups_of;
}

bool may_reach(const Fleet& fleet, std::size_t one_group, std::size_t other_group) {
  return names(fleet.groups[one_group].reaches, other_group) &&
         names(fleet.groups[other_group].reaches, one_group);
}

std::vector<std::vector<HostIndex>> fleet_peers(const Fleet& fleet, Rng rng) {
  const std::vector<std::size_t> group_of = fleet.group_of_devices();
  std::vector<std::vector<HostIndex>> peers(group_of.size());
  for (HostIndex device = 0; device < group_of.size(); ++device) {
    const FleetGroup& group = fleet.groups[group_of[device]];
    for (const std::size_t named : group.peers) {
      std::vector<HostIndex> candidates;
      for (HostIndex other = 0; other < group_of.size(); ++other) {
        if (other != device && group_of[other] == named) candidates.push_back(other);
      }
      for (std::size_t i = 0; i < group.peers_each && !candidates.empty(); ++i) {
        const std::size_t drawn = rng.below(candidates.size());
        peers[device].push_back(candidates[drawn]);
        candidates.erase(candidates.begin() + static_cast<std::ptrdiff_t>(drawn));
      }
    }
  }
  return peers;
}

std::vector<std::string> never_met(const Fleet& fleet) {
  const auto knows = [&](std::size_t one, std::size_t other) {
    const std::vector<std::size_t>& peers = fleet.groups[one].peers;
    return std::find(peers.begin(), peers.end(), other) != peers.end();
  };
  std::vector<bool> met(fleet.groups.size(), false);
  std::vector<std::size_t> open = {0};
  if (!met.empty()) met[0] = true;
  while (!open.empty()) {
    const std::size_t group = open.back();
    open.pop_back();
    for (std::size_t other = 0; other < met.size(); ++other) {
      const bool know = knows(group, other) || knows(other, group);
      if (met[other] || !know || !may_reach(fleet, group, other)) continue;
      met[other] = true;
      open.push_back(other);
    }
  }
  std::vector<std::string> alone;
  for (std::size_t group = 0; group < met.size(); ++group) {
    if (!met[group]) alone.push_back(fleet.groups[group].name);
  }
  return alone;
}

}  // namespace ebb::sim
