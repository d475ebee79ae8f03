// A device's Ed25519 key pair, and the check of anyone's signature.
//
// Model:     both can be another's: a simulator of many devices passes cheaper ones of its own, as
//            arguments. This room has the real ones only.
// Ownership: the secret is wiped when the Identity goes; copying is not possible.
// Errors:    verify answers false for anything libsodium refuses (non-canonical S, small order).
// Threads:   immutable after construction; any thread.
// Source:    libsodium crypto_sign (Ed25519, RFC 8032)
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"

namespace ebb::trust {

inline constexpr std::size_t kSeedBytes = 32;

class Identity {
 public:
  // `seed` is 32 bytes. kInvalidArgument for another size.
  static Result<std::unique_ptr<Identity>> from_seed(ByteView seed);
  virtual ~Identity();
  Identity(const Identity&) = delete;
  Identity& operator=(const Identity&) = delete;

  const DeviceId& device() const { return device_; }
  virtual Signature sign(ByteView message) const;

 protected:
  explicit Identity(const DeviceId& device) : device_(device) {}

 private:
  Identity() = default;
  DeviceId device_;
  std::array<std::uint8_t, 64> secret_{};
};

bool verify(const DeviceId& device, ByteView message, const Signature& signature);

// Says whether a signature is the device's: verify(), unless somebody passes another.
class SignatureCheck {
 public:
  virtual ~SignatureCheck() = default;
  virtual bool holds(const DeviceId& device, ByteView message, const Signature& signature) const {
    return verify(device, message, signature);
  }
};

}  // namespace ebb::trust
