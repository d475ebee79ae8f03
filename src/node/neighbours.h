// Neighbours: what the links of a node say of what it can hear of.
//
// Threads: pure.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "core/ids.h"
#include "mesh/status_types.h"

namespace ebb::node {

inline bool has_greeted(const mesh::LinkStatus& link) {
  return link.state == "in_sync" || link.state == "incomplete" || link.state == "reconciling";
}

// Whether no link may bring what others wrote, though there are links, and other devices with an
// address.
inline bool is_without_relay(const std::vector<mesh::LinkStatus>& links,
                             const std::vector<mesh::KnownPeer>& peers) {
  std::set<DeviceId> linked;
  for (const mesh::LinkStatus& link : links) {
    if (!has_greeted(link)) continue;
    if (link.may_relay) return false;
    linked.insert(*link.peer);
  }
  if (linked.empty()) return false;
  for (const mesh::KnownPeer& peer : peers) {
    if (peer.device && peer.state != "self" && !linked.contains(*peer.device)) return true;
  }
  return false;
}

}  // namespace ebb::node
