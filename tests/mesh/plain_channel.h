// PlainChannels: channels that hide and prove nothing, so that a test can say and read the frames
// of a link as they are.
//
// Model:   "ebb-plain-1", the device's id and its receiver index, then frames; no end of its own,
//          and no other claims. The keys of datagrams anybody can compute.
// Threads: not thread-safe; one test.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "core/bytes.h"
#include "core/ids.h"
#include "mesh/channel.h"

namespace ebb::tests {

// What a device sends first, and its size.
Bytes plain_preamble(const DeviceId& device, std::uint32_t receiver_index = 0);
inline constexpr std::size_t kPlainPreambleBytes = 47;

// An end of a plain channel, and what seals its datagrams to the other.
struct PlainEnd {
  DeviceId device;
  std::uint32_t receiver_index = 0;
};
channel::Key plain_datagram_key(const PlainEnd& from, const PlainEnd& to);

class PlainChannels final : public mesh::Channels {
 public:
  explicit PlainChannels(const DeviceId& self) : self_(self) {}
  std::uint32_t random_index() const override;
  std::unique_ptr<mesh::Channel> dial(mesh::ChannelClaim own) const override;
  // Asks, and says its preamble before.
  std::unique_ptr<mesh::Channel> accept(mesh::ChannelClaim own,
                                        mesh::MayAnswer may_answer) const override;

 private:
  DeviceId self_;
  mutable std::uint64_t drawn_ = 0;
};

}  // namespace ebb::tests
