// The part of the network that says who is connected, and where strangers are.
#include <utility>

#include "sim/network.h"

namespace ebb::sim {

std::vector<Direction> Network::connected() const {
  std::vector<Direction> pairs;
  for (const auto& [id, connection] : connections_) {
    if (!connection.established || !connection.ends[0].open || !connection.ends[1].open) continue;
    pairs.push_back({connection.ends[0].host, connection.ends[1].host});
  }
  return pairs;
}

void Network::set_strangers(std::vector<DeviceId> devices) {
  EBB_CHECK(devices.size() <= up_.size());
  strangers_ = std::move(devices);
}

void Network::note_stranger(HostIndex host, mesh::LinkId link, HostIndex other) {
  if (is_stranger(other)) strange_[{host, link}] = other;
}

const DeviceId* Network::stranger(HostIndex host, mesh::LinkId link) const {
  const auto found = strange_.find({host, link});
  return found == strange_.end() ? nullptr : &strangers_[found->second - first_stranger()];
}

HostIndex Network::other_end(HostIndex host, mesh::LinkId link) const {
  const std::optional<Place> place = find(host, link);
  EBB_CHECK(place.has_value());
  return existing(place->id).ends[1 - place->side].host;
}

void Network::overhear(const Place& place, ByteView bytes) {
  const Connection& connection = existing(place.id);
  if (is_stranger(connection.ends[0].host) || is_stranger(connection.ends[1].host)) return;
  overhear_(place.id, place.side, bytes);
}

}  // namespace ebb::sim
