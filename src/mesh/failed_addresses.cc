#include "mesh/failed_addresses.h"

#include <algorithm>

#include "core/host_port.h"
#include "core/limits.h"

namespace ebb::mesh {
namespace {

constexpr Duration kRestMin = seconds(10);
constexpr Duration kRestMax = seconds(600);
constexpr std::uint32_t kFailuresMax = 20;  // more changes nothing

}  // namespace

void FailedAddresses::failed(const std::string& address, Instant now, Rng& rng) {
  if (!knows(address)) make_room();
  Entry& entry = entries_[address];
  if (entry.failures == 0) entry.network = network_of(address);
  Duration rest = kRestMin;
  for (std::uint32_t i = 0; i < entry.failures; ++i)
    rest = std::min(rest * 2, kRestMax);
  entry.failures = std::min(entry.failures + 1, kFailuresMax);
  const auto half = static_cast<std::uint64_t>(rest.us / 2);
  entry.until = now + rest / 2 + microseconds(static_cast<std::int64_t>(rng.below(half)));
}

bool FailedAddresses::rests(const std::string& address, Instant now) const {
  if (entries_.empty()) return false;
  const auto found = entries_.find(address);
  if (found != entries_.end() && found->second.until > now) return true;
  if (entries_.size() < kPerNetwork) return false;
  const std::string network = network_of(address);
  const auto resting = std::count_if(entries_.begin(), entries_.end(), [&](const auto& other) {
    return other.second.until > now && other.second.network == network;
  });
  return static_cast<std::size_t>(resting) >= kPerNetwork;
}

void FailedAddresses::make_room() {
  if (entries_.size() < limits::kPresencesFailed) return;
  entries_.erase(std::min_element(
      entries_.begin(), entries_.end(),
      [](const auto& a, const auto& b) { return a.second.until < b.second.until; }));
}

}  // namespace ebb::mesh
