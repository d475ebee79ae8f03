#include "mesh/gossip.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "core/host_port.h"
#include "mesh/dialer.h"

namespace ebb::mesh {
namespace {

Duration interval(const Context& ctx) {
  return greeted_links(ctx) < 2 ? ctx.config.gossip_interval_lonely : ctx.config.gossip_interval;
}

void send_root(Context& ctx, const std::string& to, bool answer) {
  codec::GossipDatagram datagram;
  datagram.counter = ++ctx.datagram_counter;
  datagram.mesh = ctx.config.mesh;
  datagram.device = ctx.config.self;
  datagram.root = ctx.heads.root().fingerprint();
  datagram.count = ctx.heads.root().count();
  datagram.epoch = ctx.config.epoch;
  datagram.arrival_head = ctx.arrival_head;
  datagram.listen_port = ctx.config.listen_port;
  datagram.answer = answer;
  ++ctx.counters.datagrams_out;
  ctx.out->datagrams.push_back({to, codec::encode_datagram(datagram)});
}

bool has_no_link(Context& ctx, const Target& target) {
  if (target.self || (target.device && is_linked(ctx, *target.device))) return false;
  const auto it = target.link ? ctx.links.find(*target.link) : ctx.links.end();
  return it == ctx.links.end() || it->second.slot == kNoSlot;
}

// The address that listens behind a datagram's source; empty when none does.
std::string listening_address(const std::string& from, std::uint16_t port) {
  const Result<HostPort> source = parse_peer_address(from);
  if (!source.ok() || port == 0) return {};
  return host_port_text({source->host, port});
}

}  // namespace

void on_datagram(Context& ctx, const Datagram& datagram) {
  ++ctx.counters.datagrams_in;
  const Result<codec::GossipDatagram> gossip = codec::decode_datagram(datagram.bytes);
  if (!gossip.ok() || gossip->mesh != ctx.config.mesh || gossip->device == ctx.config.self) {
    ++ctx.counters.datagrams_dropped;
    return;
  }
  if (is_linked(ctx, gossip->device)) return;
  const std::string address = listening_address(datagram.from, gossip->listen_port);
  Target* target =
      address.empty() ? nullptr : add_target(ctx, address, gossip->device, false, false);
  if (target != nullptr) target->heard = ctx.now;
  const trust::FingerprintSum& root = ctx.heads.root();
  if (gossip->root == root.fingerprint() && gossip->count == root.count()) return;
  if (!gossip->answer) {
    send_root(ctx, datagram.from, true);
  } else if (!address.empty()) {
    dial_soon(ctx, address, gossip->device);
  }
}

void run_gossip(Context& ctx) {
  if (!ctx.gossip_at || *ctx.gossip_at > ctx.now) return;
  ctx.gossip_at.reset();
  std::vector<const Target*> candidates;
  std::vector<const Target*> configured;
  for (const auto& [address, target] : ctx.targets) {
    if (!has_no_link(ctx, target)) continue;
    candidates.push_back(&target);
    if (target.configured) configured.push_back(&target);
  }
  if (candidates.empty()) return;
  // A configured peer may know nobody but who tells it, so half of the datagrams go to those.
  if (!configured.empty() && ctx.rng.chance(1, 2)) candidates.swap(configured);
  send_root(ctx, candidates[ctx.rng.below(candidates.size())]->address, false);
}

void plan_gossip(Context& ctx) {
  const Duration mean = interval(ctx);
  const auto spread = static_cast<std::uint64_t>(std::max<std::int64_t>(mean.us / 2, 1));
  // Three to five quarters of the interval, so that neighbours do not fall into step.
  const bool too_late = ctx.gossip_at && *ctx.gossip_at > ctx.now + mean * 5 / 4;
  if (ctx.gossip_at && !too_late) return;
  const auto jitter = static_cast<std::int64_t>(ctx.rng.below(spread));
  ctx.gossip_at = ctx.now + mean * 3 / 4 + microseconds(jitter);
}

}  // namespace ebb::mesh
