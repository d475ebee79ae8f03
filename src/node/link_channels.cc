#include "node/link_channels.h"

#include <utility>

namespace ebb::node {

std::unique_ptr<mesh::Channels> make_link_channels(mesh::SecureSetup setup) {
  return std::make_unique<mesh::SecureChannels>(std::move(setup));
}

}  // namespace ebb::node
