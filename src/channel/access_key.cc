#include "channel/access_key.h"

#include <sodium.h>

#include <string_view>

#include "channel/cipher_state.h"
#include "channel/noise_keys.h"
#include "core/check.h"

namespace ebb::channel {
namespace {

constexpr std::string_view kPrologue = "ebb/1";
constexpr std::string_view kMacLabel = "ebb-mac-1";
constexpr std::string_view kPskLabel = "ebb-psk-1";

Key derive(std::string_view label, Purpose purpose, const MeshId& mesh, ByteView secret) {
  const auto number = static_cast<std::uint8_t>(purpose);
  Key key;
  crypto_generichash_state state;
  EBB_CHECK(crypto_generichash_init(&state, nullptr, 0, Key::kSize) == 0);
  for (const ByteView part : {as_bytes(label), ByteView(&number, 1), mesh.view(), secret}) {
    EBB_CHECK(crypto_generichash_update(&state, part.data(), part.size()) == 0);
  }
  EBB_CHECK(crypto_generichash_final(&state, key.data(), Key::kSize) == 0);
  sodium_memzero(&state, sizeof state);
  return key;
}

}  // namespace

AccessKey AccessKey::for_link(const MeshId& mesh, const trust::MeshSecret& secret) {
  return AccessKey(Purpose::kLink, mesh, secret.view());
}

AccessKey AccessKey::for_link(const MeshId& mesh) {
  return AccessKey(Purpose::kLink, mesh, ByteView{});
}

AccessKey AccessKey::for_join(const MeshId& mesh, const InviteSecret& secret) {
  return AccessKey(Purpose::kJoin, mesh, secret.view());
}

AccessKey AccessKey::for_beacon(const MeshId& mesh, const trust::MeshSecret& secret) {
  return AccessKey(Purpose::kBeacon, mesh, secret.view());
}

AccessKey::AccessKey(Purpose purpose, const MeshId& mesh, ByteView secret)
    : prologue_(to_bytes(as_bytes(kPrologue))), mac_key_(derive(kMacLabel, purpose, mesh, secret)) {
  append(prologue_, mesh.view());
  prologue_.push_back(static_cast<std::uint8_t>(purpose));
  if (!secret.empty()) psk_ = derive(kPskLabel, purpose, mesh, secret);
}

AccessKey AccessKey::copy() const {
  AccessKey same;
  same.prologue_ = prologue_;
  same.mac_key_ = mac_key_.copy();
  same.psk_ = psk();
  return same;
}

std::optional<Key> AccessKey::psk() const {
  if (!psk_) return std::nullopt;
  return psk_->copy();
}

std::size_t AccessKey::first_message_bytes() const {
  return kMacBytes + PublicKey::kSize + (psk_ ? kTagBytes : 0);
}

Mac AccessKey::mac(ByteView message) const {
  static_assert(kMacBytes >= crypto_generichash_BYTES_MIN);
  static_assert(Key::kSize == crypto_generichash_KEYBYTES);
  Mac mac;
  EBB_CHECK(crypto_generichash(mac.data.data(), Mac::kSize, message.data(), message.size(),
                               mac_key_.data(), Key::kSize) == 0);
  return mac;
}

bool AccessKey::fits(const Mac& given, ByteView message) const {
  const Mac own = mac(message);
  return sodium_memcmp(own.data.data(), given.data.data(), Mac::kSize) == 0;
}

}  // namespace ebb::channel
