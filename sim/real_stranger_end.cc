// A stranger's end of the daemon's own handshake.
#include <utility>

#include "channel/access_key.h"
#include "channel/noise_handshake.h"
#include "codec/handshake_payload.h"
#include "core/check.h"
#include "sim/stranger_end.h"

namespace ebb::sim {
namespace {

using channel::AccessKey;
using channel::NoiseHandshake;

channel::Key random_key(Rng& rng) {
  channel::Key key;
  for (std::size_t i = 0; i < channel::Key::kSize; ++i)
    key.data()[i] = static_cast<std::uint8_t>(rng.next());
  return key;
}

AccessKey access_of(const StrangerEnd::Setup& setup, Rng& rng) {
  const channel::Key other = random_key(rng);
  if (!setup.has_secret) {
    return AccessKey::for_link(*MeshId::from(other.view().first(MeshId::kSize)));
  }
  return AccessKey::for_link(setup.mesh, *trust::MeshSecret::from(other.view()));
}

class RealStranger final : public StrangerEnd {
 public:
  RealStranger(const Setup& setup, Rng rng)
      : rng_(rng),
        identity_(setup.identity),
        access_(access_of(setup, rng_)),
        link_key_(random_key(rng_)) {}

  Bytes first(bool has_mac) override {
    begin(channel::Role::kInitiator);
    Bytes message;
    EBB_CHECK(noise_->write_message({}, message).ok());
    Bytes mac = to_bytes(access_.mac(message).view());
    if (!has_mac) mac = to_bytes(random_key(rng_).view().first(channel::kMacBytes));
    Bytes wire;
    append_be16(wire, static_cast<std::uint16_t>(mac.size() + message.size()));
    append(wire, mac);
    append(wire, message);
    return wire;
  }

  std::optional<Bytes> answer(ByteView message, const DeviceId& named) override {
    if (message.size() != access_.first_message_bytes()) return std::nullopt;
    begin(channel::Role::kResponder);
    Bytes nothing;
    if (!noise_->read_message(message.subspan(channel::kMacBytes), nothing).ok()) {
      return std::nullopt;
    }
    codec::HandshakePayload payload;
    payload.device = named;
    payload.proof = identity_.sign(codec::proof_bytes(
        codec::HandshakeEnd::kResponder, noise_->transcript(), link_key_.public_part().view()));
    Bytes answer;
    EBB_CHECK(noise_->write_message(codec::encode_handshake_payload(payload), answer).ok());
    Bytes wire;
    append_be16(wire, static_cast<std::uint16_t>(answer.size()));
    append(wire, answer);
    return wire;
  }

  bool reads(ByteView message) override {
    Bytes payload;
    return noise_ && noise_->read_message(message, payload).ok();
  }

 private:
  void begin(channel::Role role) {
    channel::NoiseSetup setup;
    setup.role = role;
    setup.prologue = access_.prologue();
    setup.static_key = link_key_.copy();
    setup.ephemeral_key = random_key(rng_);
    setup.psk = access_.psk();
    noise_.emplace(access_.pattern(), channel::sha256(), std::move(setup));
  }

  Rng rng_;
  const trust::Identity& identity_;
  AccessKey access_;
  channel::StaticKey link_key_;
  std::optional<NoiseHandshake> noise_;
};

}  // namespace

std::unique_ptr<StrangerEnd> make_real_stranger_end(const StrangerEnd::Setup& setup, Rng rng) {
  return std::make_unique<RealStranger>(setup, rng);
}

}  // namespace ebb::sim
