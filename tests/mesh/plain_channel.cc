#include "tests/mesh/plain_channel.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

namespace ebb::tests {
namespace {

constexpr std::string_view kPreamble = "ebb-plain-1";
static_assert(kPreamble.size() + DeviceId::kSize == kPlainPreambleBytes);

// Appends `tail`, or becomes it where there was nothing.
void append_or_take(Bytes& out, Bytes tail) {
  if (out.empty()) {
    out = std::move(tail);
  } else {
    append(out, tail);
  }
}

class PlainChannel final : public mesh::Channel {
 public:
  PlainChannel(const DeviceId& self, mesh::MayAnswer may_answer)
      : self_(self), may_answer_(std::move(may_answer)) {}

  void start(Bytes& wire_out) override { append(wire_out, plain_preamble(self_)); }

  std::optional<mesh::ChannelFailure> receive(Bytes wire, Bytes& plain_out, Bytes&) override {
    if (peer_) {
      append_or_take(plain_out, std::move(wire));
      return std::nullopt;
    }
    const std::size_t wanted = kPlainPreambleBytes - preamble_.size();
    const std::size_t taken = std::min(wanted, wire.size());
    append(preamble_, ByteView(wire).first(taken));
    const std::size_t label = std::min(kPreamble.size(), preamble_.size());
    if (as_text(ByteView(preamble_).first(label)) != kPreamble.substr(0, label)) {
      return mesh::ChannelFailure{mesh::ChannelFault::kBroken, "preamble of the channel"};
    }
    if (taken < wanted) return std::nullopt;
    if (may_answer_ && !may_answer_()) {
      return mesh::ChannelFailure{mesh::ChannelFault::kNotAnswered, ""};
    }
    peer_.emplace();
    peer_->device = *DeviceId::from(ByteView(preamble_).subspan(kPreamble.size()));
    append(plain_out, ByteView(wire).subspan(taken));
    return std::nullopt;
  }

  void seal(Bytes plain, Bytes& wire_out) override { append_or_take(wire_out, std::move(plain)); }
  void finish(Bytes&) override {}
  bool established() const override { return peer_.has_value(); }
  bool ended() const override { return false; }
  const std::optional<mesh::ChannelPeer>& peer() const override { return peer_; }

 private:
  DeviceId self_;
  mesh::MayAnswer may_answer_;
  Bytes preamble_;
  std::optional<mesh::ChannelPeer> peer_;
};

}  // namespace

Bytes plain_preamble(const DeviceId& device) {
  Bytes bytes;
  bytes.reserve(kPlainPreambleBytes);
  append(bytes, as_bytes(kPreamble));
  append(bytes, device.view());
  return bytes;
}

std::unique_ptr<mesh::Channel> PlainChannels::dial(mesh::ChannelClaim) const {
  return std::make_unique<PlainChannel>(self_, nullptr);
}

std::unique_ptr<mesh::Channel> PlainChannels::accept(mesh::ChannelClaim,
                                                     mesh::MayAnswer may_answer) const {
  return std::make_unique<PlainChannel>(self_, std::move(may_answer));
}

}  // namespace ebb::tests
