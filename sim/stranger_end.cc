#include "sim/stranger_end.h"

#include "codec/handshake_payload.h"
#include "sim/stand_in_messages.h"

namespace ebb::sim {
namespace {

constexpr std::size_t kSecretBytes = 32;

Bytes random_bytes(Rng& rng, std::size_t size) {
  Bytes bytes;
  while (bytes.size() < size)
    append_be64(bytes, rng.next());
  bytes.resize(size);
  return bytes;
}

class StandInStranger final : public StrangerEnd {
 public:
  StandInStranger(const Setup& setup, Rng rng)
      : rng_(rng), identity_(setup.identity), messages_(messages_of(setup)) {
    nonces_.fill(*StandInMessages::Nonce::from(random_bytes(rng_, StandInMessages::Nonce::kSize)));
  }

  Bytes first(bool has_mac) override {
    Bytes wire;
    messages_.write(0, nonces_, {}, wire);
    if (!has_mac) {
      wire.resize(wire.size() - kStandInTagBytes);
      append(wire, random_bytes(rng_, kStandInTagBytes));
    }
    return wire;
  }

  std::optional<Bytes> answer(ByteView message, const DeviceId& named) override {
    if (message.size() != messages_.least_bytes(0)) return std::nullopt;
    nonces_[0] = StandInMessages::nonce_of(message);
    codec::HandshakePayload payload;
    payload.device = named;
    payload.proof = identity_.sign(StandInMessages::proven(nonces_, false));
    Bytes wire;
    messages_.write(1, nonces_, codec::encode_handshake_payload(payload), wire);
    return wire;
  }

  bool reads(ByteView message) override {
    return message.size() >= messages_.least_bytes(2) && messages_.fits(2, nonces_, message);
  }

 private:
  StandInMessages messages_of(const Setup& setup) {
    const Bytes other = random_bytes(rng_, kSecretBytes);
    if (setup.has_secret) return StandInMessages(setup.mesh, other);
    return StandInMessages(*MeshId::from(ByteView(other).first(MeshId::kSize)), {});
  }

  Rng rng_;
  const trust::Identity& identity_;
  StandInMessages messages_;
  StandInMessages::Nonces nonces_;
};

}  // namespace

std::unique_ptr<StrangerEnd> make_stranger_end(const StrangerEnd::Setup& setup, Rng rng) {
  if (setup.real_channel) return make_real_stranger_end(setup, rng);
  return std::make_unique<StandInStranger>(setup, rng);
}

}  // namespace ebb::sim
