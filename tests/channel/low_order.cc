#include "tests/channel/low_order.h"

#include "core/check.h"

namespace ebb::tests {
namespace {

using channel::Key;
using channel::PublicKey;

// u-coordinates, least byte first: 0, 1, the two of order 8, p - 1, and the first three plus p.
constexpr std::string_view kPoints[] = {
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
    "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
};

}  // namespace

std::vector<PublicKey> low_order_keys() {
  std::vector<PublicKey> keys;
  for (const std::string_view text : kPoints) {
    PublicKey key = *PublicKey::from(*from_hex(text));
    keys.push_back(key);
    key.data[31] |= 0x80;
    keys.push_back(key);
  }
  return keys;
}

FalseEnd::FalseEnd(const NoiseVector& vector, const NoiseEnd& end, Where where,
                   const PublicKey& key)
    : ephemeral_(*Key::from(end.ephemeral_key)),
      static_key_(*Key::from(end.static_key)),
      where_(where),
      key_(key),
      state_(vector.protocol_name, vector.hash()) {
  if (!end.psk.empty()) psk_ = Key::from(end.psk);
  state_.mix_hash(end.prologue);
}

Bytes FalseEnd::first() {
  const PublicKey key = own(Where::kEphemeral);
  Bytes message = to_bytes(key.view());
  mix_ephemeral(key);
  EBB_CHECK(state_.encrypt_and_hash({}, message).ok());
  return message;
}

Bytes FalseEnd::second(ByteView first) {
  const PublicKey other = *PublicKey::from(first.first(32));
  mix_ephemeral(other);
  open(first.subspan(32));
  const PublicKey key = own(Where::kEphemeral);
  Bytes message = to_bytes(key.view());
  mix_ephemeral(key);
  mix_product(Where::kEphemeral, other);
  EBB_CHECK(state_.encrypt_and_hash(own(Where::kStatic).view(), message).ok());
  mix_product(Where::kStatic, other);
  EBB_CHECK(state_.encrypt_and_hash(as_bytes("come in"), message).ok());
  return message;
}

Bytes FalseEnd::third(ByteView second) {
  const PublicKey other = *PublicKey::from(second.first(32));
  mix_ephemeral(other);
  mix_product(Where::kEphemeral, other);
  mix_product(Where::kEphemeral, *PublicKey::from(open(second.subspan(32, 48))));
  open(second.subspan(80));
  Bytes message;
  EBB_CHECK(state_.encrypt_and_hash(own(Where::kStatic).view(), message).ok());
  mix_product(Where::kStatic, other);
  if (psk_) state_.mix_key_and_hash(psk_->view());
  EBB_CHECK(state_.encrypt_and_hash(as_bytes("let me in"), message).ok());
  return message;
}

PublicKey FalseEnd::own(Where which) const {
  if (which == where_) return key_;
  return channel::public_key(which == Where::kEphemeral ? ephemeral_ : static_key_);
}

void FalseEnd::mix_ephemeral(const PublicKey& key) {
  state_.mix_hash(key.view());
  if (psk_) state_.mix_key(key.view());
}

void FalseEnd::mix_product(Where which, const PublicKey& other) {
  if (which == where_) return state_.mix_key(Bytes(32));
  const auto product =
      channel::diffie_hellman(which == Where::kEphemeral ? ephemeral_ : static_key_, other);
  EBB_CHECK(product.ok());
  state_.mix_key(product->view());
}

Bytes FalseEnd::open(ByteView sealed) {
  Bytes opened;
  EBB_CHECK(state_.decrypt_and_hash(sealed, opened).ok());
  return opened;
}

}  // namespace ebb::tests
