#include "mesh/peers.h"

#include <algorithm>
#include <utility>

#include "mesh/dialer.h"
#include "mesh/live.h"

namespace ebb::mesh {
namespace {

// Beyond this many listeners it is cheaper to repeat an address than to remember who knows it.
constexpr std::size_t kToldMax = 256;
constexpr Duration kHeardLately = seconds(300);

void mark_told(Acquaintance& acquaintance, const DeviceId& listener) {
  if (acquaintance.told.size() >= kToldMax) acquaintance.told.clear();
  acquaintance.told.insert(listener);
}

void tell_everybody(Context& ctx) {
  for (Link* link : ctx.slots) {
    if (link == nullptr) continue;
    link->peers_to_tell = true;
    plan_flush(ctx, *link);
  }
}

// Null when the list is full.
Acquaintance* acquaint(Context& ctx, const DeviceId& device, const std::string& address) {
  const auto it = ctx.acquaintances.find(device);
  if (it == ctx.acquaintances.end() && ctx.acquaintances.size() >= limits::kKnownPeers) {
    return nullptr;
  }
  Acquaintance& acquaintance = ctx.acquaintances[device];
  if (acquaintance.address != address) {
    acquaintance.address = address;
    acquaintance.first_hand = false;
    acquaintance.told.clear();
  }
  return &acquaintance;
}

void remember(Context& ctx, const DeviceId& device, const std::string& address) {
  Commit commit;
  commit.token = new_token(ctx);
  commit.peers.push_back({device, address, ctx.wall});
  ctx.out->commits.push_back(std::move(commit));
}

void know_at_first_hand(Context& ctx, const DeviceId& device, const std::string& address) {
  Acquaintance* acquaintance = acquaint(ctx, device, address);
  if (acquaintance == nullptr || acquaintance->first_hand) return;
  acquaintance->first_hand = true;
  mark_told(*acquaintance, device);
  tell_everybody(ctx);
}

void take_hearsay(Context& ctx, const DeviceId& teller, const codec::PeerAddress& peer) {
  const auto it = ctx.acquaintances.find(peer.device);
  const bool known = it != ctx.acquaintances.end() && it->second.first_hand;
  if (known && it->second.address != peer.address) return;  // we know better
  Acquaintance* acquaintance = acquaint(ctx, peer.device, peer.address);
  if (acquaintance == nullptr) return;
  mark_told(*acquaintance, teller);
  if (!known) add_target(ctx, peer.address, peer.device, false);
}

}  // namespace

void load_peers(Context& ctx) {
  const std::vector<PeerSeen>& known = ctx.config.known_peers;
  const auto load = [&](const DeviceId& device, const std::string& address, bool told) {
    Acquaintance* acquaintance = acquaint(ctx, device, address);
    if (acquaintance == nullptr) return;
    acquaintance->first_hand = true;
    if (!told) return;
    for (const PeerSeen& listener : known)
      mark_told(*acquaintance, listener.device);
  };
  const auto is_own_address = [&](const PeerSeen& peer) {
    return peer.device == ctx.config.self && peer.address == ctx.config.advertise;
  };
  if (!ctx.config.advertise.empty()) {
    const bool told = std::any_of(known.begin(), known.end(), is_own_address);
    load(ctx.config.self, ctx.config.advertise, told);
  }
  for (const PeerSeen& peer : known) {
    if (peer.address.empty() || peer.device == ctx.config.self) continue;
    load(peer.device, peer.address, true);
    add_target(ctx, peer.address, peer.device, false);
  }
}

void meet_peer(Context& ctx, Link& link) {
  const auto it = ctx.acquaintances.find(*link.peer);
  const bool known = it != ctx.acquaintances.end() && it->second.first_hand;
  if (link.dialled) know_at_first_hand(ctx, *link.peer, link.address);
  remember(ctx, *link.peer, link.dialled ? link.address : (known ? it->second.address : ""));
  link.peers_to_tell = true;
}

void tell_peers(Context& ctx, Link& link) {
  if (!link.settled || !std::exchange(link.peers_to_tell, false)) return;
  codec::Peers message;
  for (auto& [device, acquaintance] : ctx.acquaintances) {
    const bool news =
        acquaintance.first_hand && device != *link.peer && !acquaintance.told.contains(*link.peer);
    if (!news) continue;
    if (message.peers.size() == limits::kPeersPerMessage) {
      link.peers_to_tell = true;
      plan_flush(ctx, link);
      break;
    }
    mark_told(acquaintance, *link.peer);
    if (device == ctx.config.self) remember(ctx, device, acquaintance.address);
    message.peers.push_back({device, acquaintance.address});
  }
  if (!message.peers.empty()) send(ctx, link, message);
}

void on_peers(Context& ctx, Link& link, const codec::Peers& peers) {
  for (const codec::PeerAddress& peer : peers.peers) {
    if (peer.device == ctx.config.self || !parse_address(peer.address)) continue;
    if (peer.device != *link.peer) {
      take_hearsay(ctx, *link.peer, peer);
      continue;
    }
    know_at_first_hand(ctx, peer.device, peer.address);
    add_target(ctx, peer.address, peer.device, false);
    remember(ctx, peer.device, peer.address);
  }
}

std::vector<KnownPeer> known_peers(const Context& ctx) {
  std::vector<KnownPeer> list;
  for (const auto& [address, target] : ctx.targets) {
    if (target.self) continue;
    KnownPeer peer;
    peer.device = target.device;
    peer.address = address;
    peer.configured = target.configured;
    peer.last_heard = target.heard;
    peer.state = "never";
    if (target.heard) peer.state = ctx.now - *target.heard < kHeardLately ? "heard" : "away";
    for (const Link* link : ctx.slots) {
      if (link == nullptr || !target.device || link->peer != target.device) continue;
      peer.state = "linked";
      peer.last_heard = link->last_received;
    }
    list.push_back(std::move(peer));
  }
  return list;
}

}  // namespace ebb::mesh
