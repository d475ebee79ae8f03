#include "sim/overheard.h"

#include <algorithm>
#include <iterator>
#include <vector>

namespace ebb::sim {

void Overheard::hear(std::uint64_t connection, std::size_t side, ByteView bytes) {
  auto found = kept_.find(connection);
  if (found == kept_.end()) {
    // Of an older one the beginning is missing.
    if (connection <= newest_ || side != 0) return;
    newest_ = connection;
    if (kept_.size() == kKept) {
      kept_.erase(std::next(kept_.begin(), static_cast<std::ptrdiff_t>(connection % kKept)));
    }
    found = kept_.try_emplace(connection).first;
  }
  Bytes& said = found->second.said[side];
  append(said, bytes.first(std::min(bytes.size(), kBytes - said.size())));
}

const Overheard::Handshake* Overheard::draw(Rng& rng) const {
  std::vector<const Handshake*> whole;
  for (const auto& [connection, handshake] : kept_) {
    if (!handshake.said[1].empty()) whole.push_back(&handshake);
  }
  return whole.empty() ? nullptr : whole[rng.below(whole.size())];
}

}  // namespace ebb::sim
