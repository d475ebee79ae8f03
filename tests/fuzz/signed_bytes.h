// Bytes under a signature, for fuzz targets: a fuzzer makes none that holds.
//
// Threads: pure functions; any thread.
#pragma once

#include "codec/value.h"
#include "core/bytes.h"
#include "core/ids.h"
#include "trust/identity.h"

namespace ebb::tests {

// Says of every signature that it holds.
class AnySignature final : public trust::SignatureCheck {
 public:
  bool holds(const DeviceId&, ByteView, const Signature&) const override { return true; }
};

// The bytes as a body, and a signature behind it.
inline Bytes under_a_signature(ByteView body) {
  Bytes out;
  codec::Writer writer(out);
  writer.array(2);
  writer.bin(body);
  writer.bin(Signature{}.view());
  return out;
}

}  // namespace ebb::tests
