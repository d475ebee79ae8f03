// StandInIdentity and StandInCheck: what Ed25519 is to the engine, at the cost of one hash. Whoever
// knows a device's id can sign for it: for simulated hosts that are not paid to forge, and for
// nothing else.
//
// Model:   a signature is H("ebb-sim", device, message), twice.
// Threads: immutable after construction; any thread.
#pragma once

#include <memory>

#include "trust/identity.h"

namespace ebb::sim {

class StandInIdentity : public trust::Identity {
 public:
  explicit StandInIdentity(ByteView seed);
  Signature sign(ByteView message) const override;
};

class StandInCheck : public trust::SignatureCheck {
 public:
  bool holds(const DeviceId& device, ByteView message, const Signature& signature) const override;
};

}  // namespace ebb::sim
