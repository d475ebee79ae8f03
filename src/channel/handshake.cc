#include "channel/handshake.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/limits.h"
#include "core/planted.h"

namespace ebb::channel {
namespace {

constexpr std::size_t kLengthBytes = 2;
constexpr std::size_t kSealedKeyBytes = PublicKey::kSize + kTagBytes;
constexpr std::string_view kDatagramLabel = "ebb-datagram-1";

}  // namespace

std::unique_ptr<Handshake> Handshake::initiator(const AccessKey& access, HandshakeKeys keys) {
  std::unique_ptr<Handshake> handshake(new Handshake(Role::kInitiator, std::move(keys)));
  handshake->access_.emplace(access.copy());
  handshake->use(access);
  return handshake;
}

std::unique_ptr<Handshake> Handshake::responder(AcceptedKeys accepted, HandshakeKeys keys) {
  std::unique_ptr<Handshake> handshake(new Handshake(Role::kResponder, std::move(keys)));
  handshake->accepted_ = std::move(accepted);
  return handshake;
}

void Handshake::use(const AccessKey& access) {
  NoiseSetup setup;
  setup.role = role_;
  setup.prologue = access.prologue();
  setup.static_key = std::move(keys_.static_key);
  setup.ephemeral_key = std::move(keys_.ephemeral_key);
  setup.psk = access.psk();
  noise_.emplace(access.pattern(), sha256(), std::move(setup));
}

void Handshake::start(Bytes& wire_out) {
  EBB_CHECK(role_ == Role::kInitiator && noise_->my_turn());
  Bytes message;
  EBB_CHECK(noise_->write_message({}, message).ok());
  append_be16(wire_out, static_cast<std::uint16_t>(kMacBytes + message.size()));
  append(wire_out, access_->mac(message).view());
  append(wire_out, message);
  access_.reset();
}

Handshake::Received Handshake::receive(ByteView wire) {
  Received received;
  while (step_ == HandshakeStep::kMore) {
    const bool has_length = buffer_.size() >= kLengthBytes;
    const std::size_t size = kLengthBytes + (has_length ? read_be16(buffer_) : 0);
    const std::size_t wanted = size - buffer_.size();
    const std::size_t piece = std::min(wanted, wire.size());
    append(buffer_, wire.first(piece));
    wire = wire.subspan(piece);
    received.taken += piece;
    if (piece < wanted) break;
    if (!has_length) {
      // The length has come: what cannot be is not waited for.
      if (!is_possible(read_be16(buffer_))) {
        settle(noise_ ? fail({ErrorCode::kTooLarge, "handshake: length of a message"})
                      : HandshakeStep::kSilence);
      }
      continue;
    }
    const Bytes message = std::exchange(buffer_, {});
    settle(take_message(ByteView(message).subspan(kLengthBytes)));
  }
  received.step = step_;
  return received;
}

bool Handshake::is_possible(std::size_t size) const {
  if (!noise_) {
    const std::span<const AccessKey> accepted = accepted_();
    return std::any_of(accepted.begin(), accepted.end(), [size](const AccessKey& access) {
      return access.first_message_bytes() == size;
    });
  }
  const std::size_t least =
      (role_ == Role::kInitiator ? PublicKey::kSize : 0) + kSealedKeyBytes + kTagBytes;
  return size >= least && size <= least + limits::kHandshakePayloadBytes;
}

HandshakeStep Handshake::take_message(ByteView message) {
  if (!noise_) return take_first(message);
  Bytes payload;
  if (const Status read = noise_->read_message(message, payload); !read.ok()) {
    return fail(read.error());
  }
  erase_bytes(payload_);
  payload_ = std::move(payload);
  return noise_->finished() ? HandshakeStep::kDone : HandshakeStep::kAnswer;
}

HandshakeStep Handshake::take_first(ByteView message) {
  const Mac mac = *Mac::from(message.first(kMacBytes));
  const ByteView behind = message.subspan(kMacBytes);
  const std::span<const AccessKey> accepted = accepted_();
  EBB_CHECK(accepted.size() <= limits::kInvitesTried + 2);
  for (std::size_t i = 0; i < accepted.size(); ++i) {
    const AccessKey& access = accepted[i];
    if (access.first_message_bytes() != message.size()) continue;
    if (!access.fits(mac, behind) && !planted(Bug::kSkipFirstMac)) continue;
    accepted_index_ = i;
    use(access);
    accepted_ = nullptr;
    return take_message(behind);
  }
  return HandshakeStep::kSilence;
}

HandshakeStep Handshake::answer(ByteView payload, Bytes& wire_out) {
  EBB_CHECK(step_ == HandshakeStep::kAnswer && payload.size() <= limits::kHandshakePayloadBytes);
  Bytes message;
  if (const Status written = noise_->write_message(payload, message); !written.ok()) {
    return settle(fail(written.error()));
  }
  append_be16(wire_out, static_cast<std::uint16_t>(message.size()));
  append(wire_out, message);
  return settle(noise_->finished() ? HandshakeStep::kDone : HandshakeStep::kMore);
}

const std::optional<PublicKey>& Handshake::peer_key() const {
  EBB_CHECK(noise_.has_value());
  return noise_->remote_static();
}

const Bytes& Handshake::transcript() const {
  EBB_CHECK(noise_.has_value());
  return noise_->transcript();
}

SessionKeys Handshake::take_keys() {
  EBB_CHECK(step_ == HandshakeStep::kDone);
  SessionKeys keys{noise_->derive(""), noise_->derive(kDatagramLabel)};
  noise_->erase();
  return keys;
}

HandshakeStep Handshake::settle(HandshakeStep step) {
  step_ = step;
  if (step == HandshakeStep::kSilence || step == HandshakeStep::kFailed) {
    keys_ = {};
    access_.reset();
    erase_bytes(payload_);
    // A length that cannot be fails the handshake without its Noise state having seen a byte.
    if (noise_) noise_->erase();
  }
  return step;
}

HandshakeStep Handshake::fail(Error error) {
  error_ = std::move(error);
  return HandshakeStep::kFailed;
}

}  // namespace ebb::channel
