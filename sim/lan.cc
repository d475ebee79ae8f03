#include "sim/lan.h"

#include <algorithm>

namespace ebb::sim {
namespace {

constexpr std::uint64_t kBeaconMsMin = 50000;
constexpr std::uint64_t kBeaconMsMax = 70000;
constexpr std::uint64_t kFirstMsMax = 5000;
constexpr std::uint64_t kDisturbedEvery = 8;
constexpr std::uint64_t kRepeatMsMax = 10000;
constexpr std::size_t kRemembered = 64;

}  // namespace

Lan::Lan(const World& world, const Options& options, Rng rng)
    : world_(world), options_(options), rng_(rng) {
  if (options_.lan == 0) return;
  members_ = {0};
  if (options_.lone && *options_.lone < options_.nodes) members_.push_back(*options_.lone);
  while (members_.size() < std::min(options_.lan, options_.nodes)) {
    const auto host = static_cast<HostIndex>(rng_.below(options_.nodes));
    if (std::count(members_.begin(), members_.end(), host) == 0) members_.push_back(host);
  }
}

void Lan::begin() {
  for (const HostIndex host : members_) {
    world_.queue.after(milliseconds(static_cast<std::int64_t>(rng_.below(kFirstMsMax))),
                       [this, host] { tell_again(host); });
  }
}

void Lan::tell_again(HostIndex host) {
  if (world_.hosts[host]->running() && !world_.hosts[host]->paused()) tell(host);
  world_.queue.after(
      milliseconds(static_cast<std::int64_t>(rng_.between(kBeaconMsMin, kBeaconMsMax))),
      [this, host] { tell_again(host); });
}

void Lan::tell(HostIndex host) {
  const std::string address = world_.network.current_address(host);
  say(host, address);
  disturb(host);
  said_.push_back(address);
  if (said_.size() > kRemembered) said_.erase(said_.begin());
}

bool Lan::happens(Fault fault) {
  const bool now = rng_.chance(1, kDisturbedEvery);
  if (!now || !options_.has(fault)) return false;
  world_.counts.count(fault);
  return true;
}

void Lan::disturb(HostIndex host) {
  if (happens(Fault::kBeaconRepeated)) {
    for (std::uint64_t i = rng_.between(1, 4); i > 0; --i) {
      world_.queue.after(
          milliseconds(static_cast<std::int64_t>(rng_.below(kRepeatMsMax))),
          [this, host, address = world_.network.current_address(host)] { say(host, address); });
    }
  }
  if (!said_.empty() && happens(Fault::kBeaconStale)) say(host, said_[rng_.below(said_.size())]);
  if (happens(Fault::kBeaconStrange)) {
    // A place of a stranger, or of nobody.
    const auto place = options_.nodes + rng_.below(options_.strangers + 1);
    say(host, Network::address(static_cast<HostIndex>(place)));
  }
}

void Lan::say(HostIndex from, const std::string& address) {
  for (const HostIndex to : members_) {
    if (to == from || !world_.network.passes(from, to)) continue;
    // A datagram: who stands still has not heard it.
    if (world_.hosts[to]->paused()) continue;
    world_.queue.after(milliseconds(1), [this, to, address] {
      world_.hosts[to]->deliver(mesh::AddressHeard{address});
    });
  }
}

}  // namespace ebb::sim
