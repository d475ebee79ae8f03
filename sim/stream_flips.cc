#include <utility>

#include "sim/network.h"

namespace ebb::sim {

void Network::flip(Chunk& chunk) {
  const std::uint64_t often = options_.stream_flips_per_million;
  if (often == 0 || !rng_.chance(often, 1000000)) return;
  std::uint8_t& byte = chunk.bytes[rng_.below(chunk.bytes.size())];
  byte = static_cast<std::uint8_t>(byte ^ rng_.between(1, 255));
  chunk.flipped = true;
}

void Network::note_flip(const End& to, const Chunk& chunk) {
  if (chunk.flipped || chunk.bent) {
    if (chunk.flipped) counts_.count(Fault::kStreamFlipped);
    flips_.emplace(std::pair{to.host, to.link}, 0);
  }
  if (flips_.empty()) return;
  const auto flip = flips_.find({to.host, to.link});
  if (flip != flips_.end()) flip->second += chunk.bytes.size();
}

std::optional<std::size_t> Network::bytes_since_flip(HostIndex host, mesh::LinkId link) const {
  const auto found = flips_.find({host, link});
  if (found == flips_.end()) return std::nullopt;
  return found->second;
}

}  // namespace ebb::sim
