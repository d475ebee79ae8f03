// KeyedChannels: those of a MemberRig, but as this end sees it some devices have other link keys,
// or come with an invite; and what it sends may be unreadable.
//
// Threads: not thread-safe; one test.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "mesh/channel.h"
#include "mesh/membership_types.h"

namespace ebb::tests {

struct ChannelKeys {
  std::map<DeviceId, trust::LinkKey> keys;
  std::map<DeviceId, mesh::InviteId> invites;
  bool hides = false;  // what is sent is hidden(), and not readable any more
};

inline Bytes hidden(Bytes bytes) {
  for (std::uint8_t& byte : bytes)
    byte ^= 0x55U;
  return bytes;
}

class KeyedChannel final : public mesh::Channel {
 public:
  KeyedChannel(std::unique_ptr<mesh::Channel> inner, const ChannelKeys& keys)
      : inner_(std::move(inner)), keys_(keys) {}
  void start(Bytes& wire_out) override { inner_->start(wire_out); }
  std::optional<mesh::ChannelFailure> receive(Bytes wire, Bytes& plain_out,
                                              Bytes& wire_out) override {
    auto failure = inner_->receive(std::move(wire), plain_out, wire_out);
    if (inner_->peer() && !peer_) {
      peer_ = inner_->peer();
      const auto key = keys_.keys.find(peer_->device);
      if (key != keys_.keys.end()) peer_->link_key = key->second;
      const auto invite = keys_.invites.find(peer_->device);
      if (invite != keys_.invites.end()) peer_->invite = invite->second;
    }
    return failure;
  }
  void seal(Bytes plain, Bytes& wire_out) override {
    if (keys_.hides) plain = hidden(std::move(plain));
    inner_->seal(std::move(plain), wire_out);
  }
  void finish(Bytes& wire_out) override { inner_->finish(wire_out); }
  bool established() const override { return inner_->established(); }
  bool ended() const override { return inner_->ended(); }
  const std::optional<mesh::ChannelPeer>& peer() const override { return peer_; }
  mesh::DatagramKeys take_datagram_keys() override { return inner_->take_datagram_keys(); }

 private:
  std::unique_ptr<mesh::Channel> inner_;
  const ChannelKeys& keys_;
  std::optional<mesh::ChannelPeer> peer_;
};

class KeyedChannels final : public mesh::Channels, public ChannelKeys {
 public:
  explicit KeyedChannels(std::unique_ptr<mesh::Channels> inner) : inner_(std::move(inner)) {}
  std::uint32_t random_index() const override { return inner_->random_index(); }
  std::unique_ptr<mesh::Channel> dial(mesh::ChannelClaim own) const override {
    return std::make_unique<KeyedChannel>(inner_->dial(std::move(own)), *this);
  }
  std::unique_ptr<mesh::Channel> accept(mesh::ChannelClaim own,
                                        mesh::MayAnswer may_answer) const override {
    return std::make_unique<KeyedChannel>(inner_->accept(std::move(own), std::move(may_answer)),
                                          *this);
  }

 private:
  std::unique_ptr<mesh::Channels> inner_;
};

}  // namespace ebb::tests
