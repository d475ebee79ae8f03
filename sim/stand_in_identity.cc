#include "sim/stand_in_identity.h"

#include <algorithm>
#include <cstddef>

#include "trust/hash.h"

namespace ebb::sim {
namespace {

static_assert(Signature::kSize == 2 * Hash::kSize);

Signature stand_in(const DeviceId& device, ByteView message) {
  const Hash hash = trust::hash({as_bytes("ebb-sim"), device.view(), message});
  Signature signature;
  std::copy(hash.data.begin(), hash.data.end(), signature.data.begin());
  std::copy(hash.data.begin(), hash.data.end(),
            signature.data.begin() + static_cast<std::ptrdiff_t>(Hash::kSize));
  return signature;
}

}  // namespace

StandInIdentity::StandInIdentity(ByteView seed)
    : Identity(*DeviceId::from(trust::hash({as_bytes("ebb-sim-device"), seed}).view())) {}

Signature StandInIdentity::sign(ByteView message) const { return stand_in(device(), message); }

bool StandInCheck::holds(const DeviceId& device, ByteView message,
                         const Signature& signature) const {
  return stand_in(device, message) == signature;
}

}  // namespace ebb::sim
