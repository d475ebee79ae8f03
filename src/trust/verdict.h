// Verdict: what a device is to the mesh at a time, and what a link with it may be used for.
//
// Threads: a value.
// Spec:    docs/wire_format.md section 13
#pragma once

#include <cstdint>
#include <optional>

#include "trust/certificate.h"

namespace ebb::trust {

// What a device is to the mesh.
enum class Standing : std::uint8_t {
  kCertified,
  kNotYetValid,        // its certificate has not begun
  kIssuerNotYetValid,  // those of its issuer have not
  kExpired,            // it has ended, or the root has ended its issuer, whose own have ended
  kIssuerExpired,      // those of its issuer have ended, and nothing says that it was made before
  kIssuerForked,       // shown, in no log, of an issuer whose log has several branches
  kIssuerFull,         // the same, and records of its log were dropped
  kIssuerEnded,        // the same, and the root has ended it
  kUnknownIssuer,      // shown, of nobody: the logs of authorities first
  kUnknown,            // no certificate
  kRetired,
  kRevoked,
  kSuspended,  // has a certificate, but who was revoked cannot be known
};

// What a link may be used for, each with all before it.
enum class Access : std::uint8_t {
  kNone,
  kLogs,        // records of authorities are taken, as they may change the verdict; who is
                // suspended is told them, too
  kRestricted,  // renewal, and upload of its own logs
  kFull,
};
Access access_of(Standing standing);

struct Verdict {
  Standing standing = Standing::kUnknown;
  // The one that was judged; none for a device that is unknown, retired, revoked or suspended.
  std::optional<Certificate> certificate = std::nullopt;
  bool renewal_due = false;

  Access access() const { return access_of(standing); }
  // With this role, at this time.
  bool may(std::uint64_t role) const {
    return standing == Standing::kCertified && certificate && certificate->has_role(role);
  }
};

}  // namespace ebb::trust
