// PlainChannels: channels that hide and prove nothing, so that a test can say and read the frames
// of a link as they are.
//
// Model:   "ebb-plain-1" and the device's id, then frames; no end of its own, and no claims.
// Threads: immutable; any thread.
#pragma once

#include <cstddef>
#include <memory>

#include "core/bytes.h"
#include "core/ids.h"
#include "mesh/channel.h"

namespace ebb::tests {

// What a device sends first, and its size.
Bytes plain_preamble(const DeviceId& device);
inline constexpr std::size_t kPlainPreambleBytes = 43;

class PlainChannels final : public mesh::Channels {
 public:
  explicit PlainChannels(const DeviceId& self) : self_(self) {}
  std::unique_ptr<mesh::Channel> dial(mesh::ChannelClaim own) const override;
  // Asks, and says its preamble before.
  std::unique_ptr<mesh::Channel> accept(mesh::ChannelClaim own,
                                        mesh::MayAnswer may_answer) const override;

 private:
  DeviceId self_;
};

}  // namespace ebb::tests
