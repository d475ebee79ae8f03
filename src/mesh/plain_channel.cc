#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

#include "mesh/channel.h"

namespace ebb::mesh {
namespace {

constexpr std::string_view kPreamble = "ebb-plain-1";

// Appends `tail`, or becomes it where there was nothing.
void append_or_take(Bytes& out, Bytes tail) {
  if (out.empty()) {
    out = std::move(tail);
  } else {
    append(out, tail);
  }
}

class PlainChannel final : public Channel {
 public:
  explicit PlainChannel(const DeviceId& self) : self_(self) {}

  void start(Bytes& wire_out) override {
    append(wire_out, as_bytes(kPreamble));
    append(wire_out, self_.view());
  }

  Status receive(Bytes wire, Bytes& plain_out, Bytes&) override {
    if (peer_) {
      append_or_take(plain_out, std::move(wire));
      return {};
    }
    const std::size_t wanted = kPreamble.size() + DeviceId::kSize - preamble_.size();
    const std::size_t taken = std::min(wanted, wire.size());
    append(preamble_, ByteView(wire).first(taken));
    // A wrong byte is refused as it comes: whoever talks something else gets no patience.
    const std::size_t label = std::min(kPreamble.size(), preamble_.size());
    if (as_text(ByteView(preamble_).first(label)) != kPreamble.substr(0, label)) {
      return Error{ErrorCode::kMalformed, "preamble of the channel"};
    }
    if (taken < wanted) return {};
    peer_ = DeviceId::from(ByteView(preamble_).subspan(kPreamble.size()));
    append(plain_out, ByteView(wire).subspan(taken));
    return {};
  }

  void seal(Bytes plain, Bytes& wire_out) override { append_or_take(wire_out, std::move(plain)); }
  bool established() const override { return peer_.has_value(); }
  std::optional<DeviceId> peer() const override { return peer_; }
  bool secure() const override { return false; }

 private:
  DeviceId self_;
  Bytes preamble_;
  std::optional<DeviceId> peer_;
};

}  // namespace

std::unique_ptr<Channel> make_plain_channel(const DeviceId& self) {
  return std::make_unique<PlainChannel>(self);
}

}  // namespace ebb::mesh
