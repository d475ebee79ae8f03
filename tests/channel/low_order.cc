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

void mix_dh(channel::SymmetricState& state, const Key& secret, const PublicKey& other) {
  const auto common = channel::diffie_hellman(secret, other);
  EBB_CHECK(common.ok());
  state.mix_key(common->view());
}

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

FalseInitiator::FalseInitiator(const NoiseVector& vector, const PublicKey& static_key)
    : ephemeral_(*Key::from(vector.initiator.ephemeral_key)),
      static_key_(static_key),
      state_(vector.protocol_name, vector.hash()) {
  state_.mix_hash(vector.initiator.prologue);
}

Bytes FalseInitiator::first() {
  const PublicKey key = channel::public_key(ephemeral_);
  Bytes message = to_bytes(key.view());
  state_.mix_hash(key.view());
  EBB_CHECK(state_.encrypt_and_hash({}, message).ok());
  return message;
}

Bytes FalseInitiator::third(ByteView second) {
  const PublicKey ephemeral = *PublicKey::from(second.first(32));
  state_.mix_hash(ephemeral.view());
  mix_dh(state_, ephemeral_, ephemeral);
  Bytes opened;
  EBB_CHECK(state_.decrypt_and_hash(second.subspan(32, 48), opened).ok());
  mix_dh(state_, ephemeral_, *PublicKey::from(opened));
  EBB_CHECK(state_.decrypt_and_hash(second.subspan(80), opened).ok());
  Bytes message;
  EBB_CHECK(state_.encrypt_and_hash(static_key_.view(), message).ok());
  state_.mix_key(Bytes(32));  // what the product would be
  EBB_CHECK(state_.encrypt_and_hash(as_bytes("let me in"), message).ok());
  return message;
}

}  // namespace ebb::tests
