#include "tests/mesh/plain_channel.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "trust/hash.h"

namespace ebb::tests {
namespace {

constexpr std::string_view kPreamble = "ebb-plain-1";
static_assert(kPreamble.size() + DeviceId::kSize + 4 == kPlainPreambleBytes);

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
  PlainChannel(const DeviceId& self, std::uint32_t receiver_index, mesh::MayAnswer may_answer)
      : self_{self, receiver_index}, may_answer_(std::move(may_answer)) {}

  void start(Bytes& wire_out) override {
    append(wire_out, plain_preamble(self_.device, self_.receiver_index));
  }

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
    const ByteView claim = ByteView(preamble_).subspan(kPreamble.size());
    peer_->device = *DeviceId::from(claim.first(DeviceId::kSize));
    peer_->claim.receiver_index = read_be32(claim.subspan(DeviceId::kSize));
    append(plain_out, ByteView(wire).subspan(taken));
    return std::nullopt;
  }

  void seal(Bytes plain, Bytes& wire_out) override { append_or_take(wire_out, std::move(plain)); }
  void finish(Bytes&) override {}
  bool established() const override { return peer_.has_value(); }
  bool ended() const override { return false; }
  const std::optional<mesh::ChannelPeer>& peer() const override { return peer_; }
  mesh::DatagramKeys take_datagram_keys() override {
    const PlainEnd other{peer_->device, peer_->claim.receiver_index};
    return {plain_datagram_key(self_, other), plain_datagram_key(other, self_)};
  }

 private:
  PlainEnd self_;
  mesh::MayAnswer may_answer_;
  Bytes preamble_;
  std::optional<mesh::ChannelPeer> peer_;
};

}  // namespace

Bytes plain_preamble(const DeviceId& device, std::uint32_t receiver_index) {
  Bytes bytes;
  bytes.reserve(kPlainPreambleBytes);
  append(bytes, as_bytes(kPreamble));
  append(bytes, device.view());
  append_be32(bytes, receiver_index);
  return bytes;
}

channel::Key plain_datagram_key(const PlainEnd& from, const PlainEnd& to) {
  Bytes bytes = to_bytes(as_bytes("ebb-plain-datagram"));
  for (const PlainEnd& end : {from, to}) {
    append(bytes, end.device.view());
    append_be32(bytes, end.receiver_index);
  }
  return *channel::Key::from(trust::hash({bytes}).view());
}

std::uint32_t PlainChannels::random_index() const {
  Bytes number;
  append_be64(number, ++drawn_);
  return read_be32(trust::hash({as_bytes("ebb-plain-index"), self_.view(), number}).view());
}

std::unique_ptr<mesh::Channel> PlainChannels::dial(mesh::ChannelClaim own) const {
  return std::make_unique<PlainChannel>(self_, own.receiver_index, nullptr);
}

std::unique_ptr<mesh::Channel> PlainChannels::accept(mesh::ChannelClaim own,
                                                     mesh::MayAnswer may_answer) const {
  return std::make_unique<PlainChannel>(self_, own.receiver_index, std::move(may_answer));
}

}  // namespace ebb::tests
