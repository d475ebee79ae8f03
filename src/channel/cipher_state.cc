#include "channel/cipher_state.h"

#include <sodium.h>

#include <array>
#include <utility>

#include "core/check.h"

namespace ebb::channel {
namespace {

constexpr std::uint64_t kRekeyNonce = UINT64_MAX;
Error used_up() { return Error{ErrorCode::kOutOfRange, "noise: nonces are used up"}; }

using NonceBytes = std::array<std::uint8_t, crypto_aead_chacha20poly1305_ietf_NPUBBYTES>;
static_assert(Key::kSize == crypto_aead_chacha20poly1305_ietf_KEYBYTES);
static_assert(kTagBytes == crypto_aead_chacha20poly1305_ietf_ABYTES);

// Four zero bytes, then the number with its least byte first.
NonceBytes nonce_bytes(std::uint64_t nonce) {
  NonceBytes bytes{};
  for (std::size_t i = 0; i < 8; ++i)
    bytes[4 + i] = static_cast<std::uint8_t>(nonce >> (8 * i));
  return bytes;
}

}  // namespace

CipherState::CipherState(CipherState&& other) noexcept
    : key_(std::move(other.key_)),
      has_key_(std::exchange(other.has_key_, false)),
      nonce_(std::exchange(other.nonce_, 0)) {}

CipherState& CipherState::operator=(CipherState&& other) noexcept {
  if (this == &other) return *this;
  key_ = std::move(other.key_);
  has_key_ = std::exchange(other.has_key_, false);
  nonce_ = std::exchange(other.nonce_, 0);
  return *this;
}

Status CipherState::encrypt(ByteView associated, ByteView plaintext, Bytes& out) {
  EBB_CHECK(has_key_);
  if (nonce_ == kRekeyNonce) return used_up();
  const std::size_t begin = out.size();
  out.resize(begin + plaintext.size() + kTagBytes);
  const NonceBytes nonce = nonce_bytes(nonce_++);
  EBB_CHECK(crypto_aead_chacha20poly1305_ietf_encrypt(
                out.data() + begin, nullptr, plaintext.data(), plaintext.size(), associated.data(),
                associated.size(), nullptr, nonce.data(), key_.data()) == 0);
  return {};
}

Status CipherState::decrypt(ByteView associated, ByteView sealed, Bytes& out) {
  EBB_CHECK(has_key_);
  if (nonce_ == kRekeyNonce) return used_up();
  if (sealed.size() < kTagBytes) return Error{ErrorCode::kBadTag, "noise: shorter than a tag"};
  const std::size_t begin = out.size();
  out.resize(begin + sealed.size() - kTagBytes);
  const NonceBytes nonce = nonce_bytes(nonce_);
  // Where the tag does not fit, libsodium has written zeroes at the most.
  if (crypto_aead_chacha20poly1305_ietf_decrypt(out.data() + begin, nullptr, nullptr, sealed.data(),
                                                sealed.size(), associated.data(), associated.size(),
                                                nonce.data(), key_.data()) != 0) {
    out.resize(begin);
    return Error{ErrorCode::kBadTag, "noise: tag"};
  }
  ++nonce_;
  return {};
}

void CipherState::rekey() {
  EBB_CHECK(has_key_);
  const NonceBytes nonce = nonce_bytes(kRekeyNonce);
  const Key zeroes;
  Secret<Key::kSize + kTagBytes> sealed;
  EBB_CHECK(crypto_aead_chacha20poly1305_ietf_encrypt(sealed.data(), nullptr, zeroes.data(),
                                                      Key::kSize, nullptr, 0, nullptr, nonce.data(),
                                                      key_.data()) == 0);
  std::memcpy(key_.data(), sealed.data(), Key::kSize);
}

void CipherState::erase() {
  key_.erase();
  has_key_ = false;
  nonce_ = 0;
}

}  // namespace ebb::channel
