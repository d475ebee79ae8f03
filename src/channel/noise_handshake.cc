#include "channel/noise_handshake.h"

#include <string>
#include <utility>

#include "core/check.h"
#include "core/planted.h"

namespace ebb::channel {
namespace {

std::string protocol_name(const NoisePattern& pattern, const NoiseHash& hash) {
  std::string name = "Noise_";
  name.append(pattern.name).append("_25519_ChaChaPoly_").append(hash.name());
  return name;
}

Result<ByteView> take(ByteView& rest, std::size_t size) {
  if (rest.size() < size) return Error{ErrorCode::kMalformed, "noise: message is too short"};
  const ByteView taken = rest.first(size);
  rest = rest.subspan(size);
  return taken;
}

}  // namespace

NoiseHandshake::NoiseHandshake(const NoisePattern& pattern, const NoiseHash& hash, NoiseSetup setup)
    : pattern_(pattern),
      role_(setup.role),
      static_key_(std::move(setup.static_key)),
      ephemeral_key_(std::move(setup.ephemeral_key)),
      psk_(std::move(setup.psk)),
      remote_static_(setup.remote_static),
      symmetric_(protocol_name(pattern, hash), hash) {
  EBB_CHECK(psk_.has_value() == pattern.has_psk());
  const bool knows = pattern.responder_known && role_ == Role::kInitiator;
  EBB_CHECK(remote_static_.has_value() == knows);
  symmetric_.mix_hash(setup.prologue);
  if (!pattern.responder_known) return;
  symmetric_.mix_hash(knows ? remote_static_->view() : static_key_.public_part().view());
}

bool NoiseHandshake::my_turn() const {
  const bool initiators = next_ % 2 == 0;
  return !failed_ && !finished() && initiators == (role_ == Role::kInitiator);
}

Status NoiseHandshake::write_message(ByteView payload, Bytes& out) {
  if (!my_turn()) return fail({ErrorCode::kMalformed, "noise: not this end's turn to write"});
  Bytes message;
  for (const NoiseToken token : pattern_.messages[next_]) {
    if (const Status written = write_token(token, message); !written.ok()) {
      return fail(written.error());
    }
  }
  if (const Status sealed = symmetric_.encrypt_and_hash(payload, message); !sealed.ok()) {
    return fail(sealed.error());
  }
  ++next_;
  append(out, message);
  return {};
}

Status NoiseHandshake::read_message(ByteView message, Bytes& payload_out) {
  if (failed_ || finished() || my_turn()) {
    return fail({ErrorCode::kMalformed, "noise: not the other end's turn to write"});
  }
  for (const NoiseToken token : pattern_.messages[next_]) {
    if (const Status read = read_token(token, message); !read.ok()) return fail(read.error());
  }
  if (const Status opened = symmetric_.decrypt_and_hash(message, payload_out); !opened.ok()) {
    return fail(opened.error());
  }
  ++next_;
  return {};
}

Status NoiseHandshake::write_token(NoiseToken token, Bytes& out) {
  if (token == NoiseToken::kE) {
    const PublicKey key = public_key(ephemeral_key_);
    append(out, key.view());
    mix_ephemeral(key);
    return {};
  }
  if (token == NoiseToken::kS) {
    return symmetric_.encrypt_and_hash(static_key_.public_part().view(), out);
  }
  return mix_token(token);
}

Status NoiseHandshake::read_token(NoiseToken token, ByteView& rest) {
  if (token == NoiseToken::kE) {
    EBB_ASSIGN(const ByteView bytes, take(rest, PublicKey::kSize));
    remote_ephemeral_ = PublicKey::from(bytes);
    mix_ephemeral(*remote_ephemeral_);
    return {};
  }
  if (token == NoiseToken::kS) {
    const std::size_t size = PublicKey::kSize + (symmetric_.has_key() ? kTagBytes : 0);
    EBB_ASSIGN(const ByteView sealed, take(rest, size));
    Bytes opened;
    EBB_RETURN_IF_ERROR(symmetric_.decrypt_and_hash(sealed, opened));
    remote_static_ = PublicKey::from(opened);
    return {};
  }
  return mix_token(token);
}

Status NoiseHandshake::mix_token(NoiseToken token) {
  const bool initiator = role_ == Role::kInitiator;
  switch (token) {
    case NoiseToken::kEe:
      return mix_dh(ephemeral_key_, remote_ephemeral_);
    case NoiseToken::kEs:
      return initiator ? mix_dh(ephemeral_key_, remote_static_)
                       : mix_dh(static_key_.secret(), remote_ephemeral_);
    case NoiseToken::kSe:
      return initiator ? mix_dh(static_key_.secret(), remote_ephemeral_)
                       : mix_dh(ephemeral_key_, remote_static_);
    case NoiseToken::kSs:
      return mix_dh(static_key_.secret(), remote_static_);
    case NoiseToken::kPsk:
      if (!planted(Bug::kForgetSecret)) symmetric_.mix_key_and_hash(psk_->view());
      return {};
    case NoiseToken::kE:
    case NoiseToken::kS:
      break;
  }
  return Error{ErrorCode::kInternal, "noise: a token that is sent"};
}

Status NoiseHandshake::mix_dh(const Key& secret, const std::optional<PublicKey>& other) {
  EBB_CHECK(other.has_value());  // the pattern's fault, not the peer's
  EBB_ASSIGN(const Key common, diffie_hellman(secret, *other));
  symmetric_.mix_key(common.view());
  return {};
}

void NoiseHandshake::mix_ephemeral(const PublicKey& key) {
  symmetric_.mix_hash(key.view());
  if (psk_) symmetric_.mix_key(key.view());
}

KeyPair NoiseHandshake::derive(std::string_view label) const {
  EBB_CHECK(finished() && !erased_);
  return symmetric_.derive(label);
}

void NoiseHandshake::erase() {
  if (!finished()) {
    failed_ = true;
    remote_static_.reset();
  }
  static_key_.erase();
  ephemeral_key_.erase();
  if (psk_) psk_->erase();
  symmetric_.erase();
  erased_ = true;
}

Error NoiseHandshake::fail(Error error) {
  failed_ = true;
  erase();
  return error;
}

}  // namespace ebb::channel
