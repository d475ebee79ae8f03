// Only in `ebb-plain-links`, beside whose links `tools/bench/run channel` measures those of `ebb`:
// they hide and prove nothing, and whoever reaches the port is let in.
#include <memory>

#include "node/link_channels.h"
#include "node/log.h"
#include "tests/mesh/plain_channel.h"

namespace ebb::node {

std::unique_ptr<mesh::Channels> make_link_channels(mesh::SecureSetup setup) {
  log(LogLevel::kWarn, "plain_links",
      {{"reason", "links are not encrypted and prove nothing: for measurements only"}});
  return std::make_unique<tests::PlainChannels>(setup.identity.device());
}

}  // namespace ebb::node
