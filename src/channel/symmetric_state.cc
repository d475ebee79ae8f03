#include "channel/symmetric_state.h"

#include <algorithm>

#include "core/check.h"

namespace ebb::channel {
namespace {

// Of 64 B of a hash a key is the first 32.
Key key_of(const HashSecret& output) { return *Key::from(output.view().first(Key::kSize)); }

}  // namespace

SymmetricState::SymmetricState(std::string_view protocol_name, const NoiseHash& hash)
    : hash_(hash), transcript_(hash.size()) {
  EBB_CHECK(hash.size() >= Key::kSize && hash.size() <= kNoiseHashBytesMax);
  const ByteView name = as_bytes(protocol_name);
  if (name.size() <= hash.size()) {
    std::copy(name.begin(), name.end(), transcript_.begin());
  } else {
    hash.hash({name}, transcript_.data());
  }
  std::copy(transcript_.begin(), transcript_.end(), chaining_key_.data());
}

void SymmetricState::mix_key(ByteView input) {
  EBB_CHECK(stage_ != Stage::kErased);
  stage_ = Stage::kKeyed;
  HkdfOutput output = hkdf(hash_, chaining_key(), input);
  chaining_key_ = std::move(output.first);
  cipher_ = CipherState(key_of(output.second));
}

void SymmetricState::mix_hash(ByteView bytes) {
  Bytes next(hash_.size());
  hash_.hash({transcript_, bytes}, next.data());
  transcript_ = std::move(next);
}

void SymmetricState::mix_key_and_hash(ByteView input) {
  EBB_CHECK(stage_ != Stage::kErased);
  stage_ = Stage::kKeyed;
  HkdfOutput output = hkdf(hash_, chaining_key(), input, HkdfOutputs::kThree);
  chaining_key_ = std::move(output.first);
  mix_hash(output.second.view().first(hash_.size()));
  cipher_ = CipherState(key_of(output.third));
}

Status SymmetricState::check_not_erased() const {
  if (stage_ == Stage::kErased) return Error{ErrorCode::kInternal, "noise: the state was erased"};
  return {};
}

Status SymmetricState::encrypt_and_hash(ByteView plaintext, Bytes& out) {
  EBB_RETURN_IF_ERROR(check_not_erased());
  const std::size_t begin = out.size();
  if (stage_ == Stage::kKeyed) {
    EBB_RETURN_IF_ERROR(cipher_.encrypt(transcript_, plaintext, out));
  } else {
    append(out, plaintext);
  }
  mix_hash(ByteView(out).subspan(begin));
  return {};
}

Status SymmetricState::decrypt_and_hash(ByteView sealed, Bytes& out) {
  EBB_RETURN_IF_ERROR(check_not_erased());
  if (stage_ == Stage::kKeyed) {
    EBB_RETURN_IF_ERROR(cipher_.decrypt(transcript_, sealed, out));
  } else {
    append(out, sealed);
  }
  mix_hash(sealed);
  return {};
}

KeyPair SymmetricState::derive(std::string_view label) const {
  EBB_CHECK(stage_ != Stage::kErased);
  const HkdfOutput output = hkdf(hash_, chaining_key(), as_bytes(label));
  return {key_of(output.first), key_of(output.second)};
}

void SymmetricState::erase() {
  chaining_key_.erase();
  cipher_.erase();
  stage_ = Stage::kErased;
}

}  // namespace ebb::channel
