#include "mesh/peers.h"

#include <algorithm>
#include <utility>

#include "core/host_port.h"
#include "mesh/admission.h"
#include "mesh/dialer.h"
#include "mesh/live.h"

namespace ebb::mesh {
namespace {

constexpr Duration kHeardLately = seconds(300);
constexpr Duration kShufflePause = seconds(10);  // between answers on one link
constexpr WallTime kNeverHeard{0};               // of an address that only others told
constexpr Duration kHeardStep = seconds(3600);   // so old the store's word of a link may be
constexpr std::size_t kSmallMesh = limits::kOverlayLinks;

// The row that the store has of the device, as far as it is known here; null: none.
PeerSeen* row_of(Context& ctx, const DeviceId& device) {
  auto& rows = ctx.config.known_peers;
  const auto found = std::find_if(rows.begin(), rows.end(),
                                  [&device](const PeerSeen& row) { return row.device == device; });
  return found == rows.end() ? nullptr : &*found;
}

void note_row(Context& ctx, const PeerSeen& row) {
  if (PeerSeen* known = row_of(ctx, row.device)) {
    *known = row;
    return;
  }
  auto& rows = ctx.config.known_peers;
  if (rows.size() < limits::kStoredPeers) {
    rows.push_back(row);
    return;
  }
  // As the store does with its table.
  *std::min_element(rows.begin(), rows.end(),
                    [](const PeerSeen& a, const PeerSeen& b) { return a.heard < b.heard; }) = row;
}

void remember(Context& ctx, const DeviceId& device, const std::string& address) {
  Commit commit;
  commit.token = new_token(ctx);
  commit.peers.push_back({device, address, ctx.wall});
  note_row(ctx, commit.peers.back());
  ctx.out->commits.push_back(std::move(commit));
}

// A learnt address that nothing else holds in the table.
bool is_spare(Context& ctx, const Target& target) {
  const bool held = target.configured || leads_back(ctx, target) || target.urgent || target.link;
  return !held && !(target.device && is_linked(ctx, *target.device));
}

// The best of what is known: rather one that holds beyond this wire, then one at first hand.
Target* target_of_device(Context& ctx, const DeviceId& device) {
  const auto rank = [](const Target& target) {
    return std::pair(!target.link_scoped, target.first_hand);
  };
  Target* found = nullptr;
  for (auto& [address, target] : ctx.targets) {
    if (target.device != device) continue;
    if (found == nullptr || rank(target) > rank(*found)) found = &target;
  }
  return found;
}

// An address of the wire of a device that is known by another address too.
bool is_second(const Context& ctx, const Target& target) {
  if (!target.link_scoped || !target.device) return false;
  return std::any_of(ctx.targets.begin(), ctx.targets.end(), [&target](const auto& entry) {
    return entry.second.device == target.device && !entry.second.link_scoped;
  });
}

// The store has room for one address of a device: that of a wire is better than none, no more.
std::string address_to_keep(Context& ctx, const Link& link) {
  if (link.dialled && !is_link_scoped(link.address)) return link.address;
  const Target* target = target_of_device(ctx, *link.peer);
  const bool sure = target != nullptr && (target->first_hand || link.dialled);
  return sure ? target->address : "";
}

void tell_later(Context& ctx, Link& link, const Target& target) {
  if (target.link_scoped) return;
  if (link.peer == target.device || link.addresses.size() >= limits::kPeersForNewcomer) return;
  link.addresses.insert(target.address);
  plan_flush(ctx, link);
}

// News at first hand: to one random neighbour, in a small mesh to everybody.
void spread(Context& ctx, const Target& news) {
  std::vector<Link*> listeners;
  for (Link* link : ctx.slots) {
    if (link != nullptr && link->peer != news.device) listeners.push_back(link);
  }
  if (listeners.empty()) return;
  if (knows_devices(ctx, kSmallMesh + 1)) {
    tell_later(ctx, *listeners[ctx.rng.below(listeners.size())], news);
    return;
  }
  for (Link* link : listeners)
    tell_later(ctx, *link, news);
}

void know_at_first_hand(Context& ctx, const DeviceId& device, const std::string& address) {
  const auto it = ctx.targets.find(address);
  const bool known =
      it != ctx.targets.end() && it->second.first_hand && it->second.device == device;
  Target* target = learn_peer(ctx, device, address, true);
  if (target != nullptr && !known) spread(ctx, *target);
}

// Up to `most` of the candidates at random, in random order.
void draw(Context& ctx, std::vector<const Target*>& candidates, std::size_t most,
          codec::Peers& message) {
  for (std::size_t i = 0; i < most && i < candidates.size(); ++i) {
    std::swap(candidates[i], candidates[i + ctx.rng.below(candidates.size() - i)]);
    message.peers.push_back({*candidates[i]->device, candidates[i]->address});
  }
}

// A random choice of neighbours (a third) and of the passive view.
codec::Peers sample(Context& ctx, const Link& link, std::size_t most) {
  std::vector<const Target*> linked;
  std::vector<const Target*> spare;
  for (const auto& [address, target] : ctx.targets) {
    if (target.link_scoped) continue;
    const bool tellable =
        target.device && !leads_back(ctx, target) && !target.announced && target.failures == 0;
    if (!tellable || target.device == link.peer) continue;
    if (!is_linked(ctx, *target.device)) {
      spare.push_back(&target);
    } else if (target.first_hand) {
      linked.push_back(&target);
    }
  }
  codec::Peers message;
  const std::size_t of_spare = most - std::min(most / 3, linked.size());
  draw(ctx, spare, of_spare, message);
  draw(ctx, linked, most - message.peers.size(), message);
  return message;
}

void introduce(Context& ctx, Link& link, codec::Peers& message) {
  if ((link.theirs.features & codec::kFeatureWantsPeers) != 0) {
    message = sample(ctx, link, limits::kPeersForNewcomer);
  }
  if (ctx.config.advertise.empty()) return;
  Target* target = target_of_device(ctx, *link.peer);
  if (target != nullptr && std::exchange(target->knows_us, true)) return;
  message.peers.push_back({ctx.config.self, ctx.config.advertise});
  remember(ctx, ctx.config.self, ctx.config.advertise);
}

// Of links that stand for long: when they were heard, so that a crash does not make it look old.
void store_heard(Context& ctx, Commit& commit) {
  for (const Link* link : ctx.slots) {
    if (link == nullptr) continue;
    const PeerSeen* row = row_of(ctx, *link->peer);
    if (row != nullptr && ctx.wall.ms - row->heard.ms < kHeardStep.ms()) continue;
    commit.peers.push_back({*link->peer, address_to_keep(ctx, *link), ctx.wall});
    note_row(ctx, commit.peers.back());
  }
}

// What moved in the passive view since the last time; the rows ride with some later transaction.
void store_view(Context& ctx) {
  Commit commit;
  for (auto& [address, target] : ctx.targets) {
    if (!target.device || target.link_scoped || leads_back(ctx, target)) continue;
    if (std::exchange(target.stored, true)) continue;
    const PeerSeen* row = row_of(ctx, *target.device);
    const bool was_heard = row != nullptr && row->heard != kNeverHeard;
    // Hearsay does not take away that the device itself was heard.
    if (was_heard && !target.first_hand) continue;
    const WallTime heard = was_heard ? row->heard : ctx.wall;
    commit.peers.push_back({*target.device, address, target.first_hand ? heard : kNeverHeard});
  }
  store_heard(ctx, commit);
  if (commit.peers.empty()) return;
  commit.token = new_token(ctx);
  ctx.out->commits.push_back(std::move(commit));
}

Duration jittered(Context& ctx, Duration mean) {
  const auto spread = static_cast<std::uint64_t>(std::max<std::int64_t>(mean.us / 2, 1));
  return mean * 3 / 4 + microseconds(static_cast<std::int64_t>(ctx.rng.below(spread)));
}

}  // namespace

void load_peers(Context& ctx) {
  std::vector<PeerSeen> known = ctx.config.known_peers;
  std::stable_sort(known.begin(), known.end(),
                   [](const PeerSeen& a, const PeerSeen& b) { return a.heard.ms > b.heard.ms; });
  const bool told = std::any_of(known.begin(), known.end(), [&ctx](const PeerSeen& peer) {
    return peer.device == ctx.config.self && peer.address == ctx.config.advertise;
  });
  std::size_t taken = 0;
  for (const PeerSeen& peer : known) {
    if (peer.address.empty() || peer.device == ctx.config.self) continue;
    if (++taken > limits::kPassiveView) break;
    Target* target = learn_peer(ctx, peer.device, peer.address, peer.heard != kNeverHeard);
    if (target == nullptr) continue;
    target->knows_us = told;
    target->stored = true;
  }
}

Target* learn_peer(Context& ctx, const DeviceId& device, const std::string& address,
                   bool first_hand) {
  if (device == ctx.config.self) return nullptr;
  // One address of a wire and one that holds beyond it stand side by side.
  const bool link_scoped = is_link_scoped(address);
  for (auto it = ctx.targets.begin(); it != ctx.targets.end();) {
    Target& other = it->second;
    const bool elsewhere =
        other.device == device && other.address != address && other.link_scoped == link_scoped;
    if (elsewhere && !first_hand && (other.first_hand || other.configured)) return nullptr;
    it = elsewhere && !other.configured && !other.link ? ctx.targets.erase(it) : std::next(it);
  }
  Target* target = add_target(ctx, address, device, false, first_hand);
  if (target == nullptr) return nullptr;
  target->first_hand = target->first_hand || first_hand;
  return target;
}

bool make_room(Context& ctx, bool first_hand) {
  std::vector<Target*> hearsay;
  std::vector<Target*> all;
  for (auto& [address, target] : ctx.targets) {
    if (!is_spare(ctx, target)) continue;
    all.push_back(&target);
    if (!target.first_hand) hearsay.push_back(&target);
  }
  if (all.size() < limits::kPassiveView) return true;
  // Strangers' words never push out the half that we know ourselves.
  const bool many_known = all.size() - hearsay.size() > limits::kPassiveView / 2;
  const std::vector<Target*>& victims = first_hand || many_known ? all : hearsay;
  if (victims.empty()) return false;
  const std::string address = victims[ctx.rng.below(victims.size())]->address;
  ctx.targets.erase(address);
  return true;
}

void meet_peer(Context& ctx, Link& link) {
  if (link.dialled) know_at_first_hand(ctx, *link.peer, link.address);
  remember(ctx, *link.peer, address_to_keep(ctx, link));
}

void part_from_peer(Context& ctx, const Link& link) {
  remember(ctx, *link.peer, address_to_keep(ctx, link));
}

void tell_peers(Context& ctx, Link& link) {
  // Who may see its own logs alone learns of no address but those of issuers.
  if (!link.settled || !is_full_at_both_ends(link)) return;
  codec::Peers message;
  if (!std::exchange(link.introduced, true)) introduce(ctx, link, message);
  for (const std::string& address : std::exchange(link.addresses, {})) {
    const auto it = ctx.targets.find(address);
    if (it == ctx.targets.end() || !it->second.device) continue;
    message.peers.push_back({*it->second.device, address});
  }
  if (!message.peers.empty()) send(ctx, link, message);
}

void on_peers(Context& ctx, Link& link, const codec::Peers& peers) {
  if (std::exchange(link.admission.may_name, false)) take_issuers(ctx, link, peers);
  if (!link.hello_received || !is_full_at_both_ends(link)) return;
  for (const codec::PeerAddress& peer : peers.peers) {
    if (peer.device == ctx.config.self || !parse_peer_address(peer.address).ok()) continue;
    if (is_link_scoped(peer.address)) continue;  // of the teller's wire
    if (peer.device != *link.peer) {
      (void)learn_peer(ctx, peer.device, peer.address, false);
      continue;
    }
    know_at_first_hand(ctx, peer.device, peer.address);
    // It has been told before it was known.
    Target* target = target_of_device(ctx, peer.device);
    const bool told = link.introduced && !ctx.config.advertise.empty();
    if (target != nullptr && told) target->knows_us = true;
    remember(ctx, peer.device, peer.address);
  }
  const bool rested = !link.shuffle_answered || *link.shuffle_answered + kShufflePause <= ctx.now;
  if (!peers.shuffle || !rested || !link.settled) return;
  link.shuffle_answered = ctx.now;
  const codec::Peers answer = sample(ctx, link, limits::kPeersShuffled);
  if (!answer.peers.empty()) send(ctx, link, answer);
}

void run_shuffle(Context& ctx) {
  if (ctx.shuffle_at && *ctx.shuffle_at > ctx.now) return;
  const bool first = !ctx.shuffle_at;
  ctx.shuffle_at = ctx.now + jittered(ctx, ctx.config.shuffle_interval);
  if (first) return;
  std::vector<Link*> listeners;
  for (Link* link : ctx.slots) {
    if (link == nullptr || !link->settled || link->surplus) continue;
    if (is_full_at_both_ends(*link)) listeners.push_back(link);
  }
  store_view(ctx);
  // In a small mesh news at first hand reach everybody: there is nothing to mix.
  if (listeners.empty() || !knows_devices(ctx, kSmallMesh)) return;
  Link& link = *listeners[ctx.rng.below(listeners.size())];
  codec::Peers message = sample(ctx, link, limits::kPeersShuffled);
  message.shuffle = true;
  if (!message.peers.empty()) send(ctx, link, message);
}

bool knows_devices(const Context& ctx, std::size_t at_least) {
  std::size_t count = 0;
  for (const auto& [address, target] : ctx.targets) {
    if (count == at_least) break;
    if (!leads_back(ctx, target) && !target.announced && !is_second(ctx, target)) ++count;
  }
  return count == at_least;
}

bool knows_others(Context& ctx, const Link& link) {
  return std::any_of(ctx.targets.begin(), ctx.targets.end(), [&](const auto& entry) {
    const Target& target = entry.second;
    if (leads_back(ctx, target) || target.configured || target.failures > 0) return false;
    if (target.announced) return false;  // nobody knows yet whether anybody is there
    return target.device != link.peer && !(target.device && is_linked(ctx, *target.device));
  });
}

LinkedTimes linked_times(const Context& ctx) {
  LinkedTimes times;
  for (const PeerSeen& row : ctx.config.known_peers) {
    if (row.heard == kNeverHeard) continue;
    // A clock that was set back since then makes it just now.
    const std::int64_t age_ms = std::max<std::int64_t>(ctx.wall.ms - row.heard.ms, 0);
    times[row.device] = {false, ctx.now - milliseconds(age_ms)};
  }
  for (const Link* link : ctx.slots)
    if (link != nullptr) times[*link->peer] = {true, link->last_received};
  return times;
}

void tell_linked(const LinkedTimes& times, KnownPeer& peer) {
  const auto found = peer.device ? times.find(*peer.device) : times.end();
  if (found == times.end()) return;
  if (found->second.stands) {
    peer.state = "linked";
    peer.trouble.clear();
    peer.last_heard = found->second.heard;
  } else if (!peer.last_heard || *peer.last_heard <= found->second.heard) {
    peer.last_heard = found->second.heard;
    if (peer.state == "never" || peer.state == "heard") peer.state = "away";
  }
}

std::vector<KnownPeer> known_peers(const Context& ctx) {
  std::vector<KnownPeer> list;
  const LinkedTimes times = linked_times(ctx);
  for (const auto& [address, target] : ctx.targets) {
    KnownPeer peer;
    peer.device = target.device;
    peer.address = address;
    peer.configured = target.configured;
    peer.last_heard = target.heard;
    peer.state = "never";
    if (target.heard) peer.state = ctx.now - *target.heard < kHeardLately ? "heard" : "away";
    if (!target.refusal.empty()) peer.state = "refused";
    if (leads_back(ctx, target)) peer.state = "self";
    peer.trouble = target.refusal.empty() ? target.trouble : std::string(target.refusal);
    tell_linked(times, peer);
    list.push_back(std::move(peer));
  }
  return list;
}

}  // namespace ebb::mesh
