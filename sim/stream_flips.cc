#include <utility>

#include "sim/network.h"

namespace ebb::sim {

bool Network::flip(Bytes& bytes) {
  const std::uint64_t often = options_.stream_flips_per_million;
  if (often == 0 || !rng_.chance(often, 1000000)) return false;
  std::uint8_t& byte = bytes[rng_.below(bytes.size())];
  byte = static_cast<std::uint8_t>(byte ^ rng_.between(1, 255));
  return true;
}

void Network::note_flip(const End& to) {
  counts_.count(Fault::kStreamFlipped);
  flips_.emplace(std::pair{to.host, to.link}, 0);
}

std::optional<std::size_t> Network::bytes_since_flip(HostIndex host, mesh::LinkId link) const {
  const auto found = flips_.find({host, link});
  if (found == flips_.end()) return std::nullopt;
  return found->second;
}

}  // namespace ebb::sim
