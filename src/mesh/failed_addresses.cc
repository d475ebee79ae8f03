#include "mesh/failed_addresses.h"

#include <algorithm>

#include "core/host_port.h"
#include "core/limits.h"

namespace ebb::mesh {
namespace {

constexpr Duration kRestMin = seconds(10);
constexpr Duration kRestMax = seconds(600);
constexpr Duration kForgotten = seconds(3600);
constexpr std::uint32_t kFailuresMax = 30;  // more changes nothing

// Half to all of what so many failures give.
Duration rest_after(std::uint32_t failures, Rng& rng) {
  Duration rest = kRestMin;
  for (std::uint32_t i = 1; i < failures; ++i)
    rest = std::min(rest * 2, kRestMax);
  const auto half = static_cast<std::uint64_t>(rest.us / 2);
  return rest / 2 + microseconds(static_cast<std::int64_t>(rng.below(half)));
}

}  // namespace

// The first `free` failures are of no consequence.
void FailedAddresses::note(Entries& entries, const std::string& key, std::uint32_t free,
                           Instant now, Rng& rng) {
  if (!entries.contains(key) && entries.size() >= limits::kPresencesFailed) {
    entries.erase(std::min_element(
        entries.begin(), entries.end(),
        [](const auto& a, const auto& b) { return a.second.until < b.second.until; }));
  }
  Entry& entry = entries[key];
  if (now - entry.until > kForgotten) entry.failures = 0;
  entry.failures = std::min(entry.failures + 1, kFailuresMax);
  entry.until = entry.failures > free ? now + rest_after(entry.failures - free, rng) : now;
}

void FailedAddresses::failed(const std::string& address, Instant now, Rng& rng) {
  note(addresses_, address, 0, now, rng);
  note(networks_, network_of(address), kPerNetwork - 1, now, rng);
}

void FailedAddresses::answered(const std::string& address) {
  addresses_.erase(address);
  networks_.erase(network_of(address));
}

bool FailedAddresses::rests(const std::string& address, Instant now) const {
  const auto rests_in = [now](const Entries& entries, const std::string& key) {
    const auto found = entries.find(key);
    return found != entries.end() && found->second.until > now;
  };
  if (addresses_.empty() && networks_.empty()) return false;
  return rests_in(addresses_, address) || rests_in(networks_, network_of(address));
}

}  // namespace ebb::mesh
