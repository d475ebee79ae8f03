#include "sim/topology.h"

namespace ebb::sim {

Topology::Topology(const NetworkOptions& options, Rng& rng, std::size_t hosts)
    : hosts_(hosts), pairs_(hosts * hosts) {
  for (HostIndex host = 0; host < hosts; ++host) {
    addresses_.push_back(first_address(host));
    leads_to_[addresses_.back()] = host;
  }
  const auto low = static_cast<std::uint64_t>(options.latency_min.us);
  const auto high = static_cast<std::uint64_t>(options.latency_max.us);
  for (Pair& path : pairs_)
    path.latency = microseconds(static_cast<std::int64_t>(rng.between(low, high)));
}

std::string Topology::first_address(HostIndex host) {
  return "10.0." + std::to_string(host / 250) + "." + std::to_string(host % 250 + 1) + ":" +
         std::to_string(kPort);
}

std::optional<HostIndex> Topology::host_at(const std::string& address) const {
  const auto found = leads_to_.find(address);
  if (found == leads_to_.end()) return std::nullopt;
  return found->second;
}

void Topology::change_address(HostIndex host) {
  led_to_[addresses_[host]] = host;
  leads_to_.erase(addresses_[host]);
  const std::uint64_t n = changes_++;
  addresses_[host] = "10.1." + std::to_string(n / 250) + "." + std::to_string(n % 250 + 1) + ":" +
                     std::to_string(kPort);
  leads_to_[addresses_[host]] = host;
}

void Topology::restore_addresses() {
  leads_to_.insert(led_to_.begin(), led_to_.end());
  led_to_.clear();
}

CutId Topology::cut(std::vector<Direction> directions) {
  for (const Direction& path : directions)
    ++at(path.from, path.to).cuts;
  cuts_.emplace(next_cut_, std::move(directions));
  return next_cut_++;
}

void Topology::heal(CutId cut) {
  const auto found = cuts_.find(cut);
  if (found == cuts_.end()) return;
  for (const Direction& path : found->second)
    --at(path.from, path.to).cuts;
  cuts_.erase(found);
}

void Topology::heal_all() {
  cuts_.clear();
  for (Pair& path : pairs_) {
    path.cuts = 0;
    path.divisor = 1;
    path.capacity = 0;
    path.black_hole = false;
  }
}

void Topology::narrow(Direction path, std::uint64_t divisor, std::size_t capacity) {
  at(path.from, path.to).divisor = divisor;
  at(path.from, path.to).capacity = capacity;
}

bool Topology::datagram_enters(HostIndex from, HostIndex to) {
  Pair& path = at(from, to);
  if (path.capacity > 0 && path.datagrams >= path.capacity) return false;
  ++path.datagrams;
  return true;
}

void Topology::datagram_left(HostIndex from, HostIndex to) { --at(from, to).datagrams; }

}  // namespace ebb::sim
