// Verdict: what a device is to the mesh at a time, and what a link with it may be used for.
//
// Threads: a value.
// Spec:    docs/wire_format.md section 13
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "trust/certificate.h"

namespace ebb::trust {

// What a device is to the mesh.
enum class Standing : std::uint8_t {
  kCertified,
  kNotYetValid,        // its certificate has not begun: the clock here is behind
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

// "certified", "not_yet_valid"... For APIs: they do not change.
std::string_view standing_name(Standing standing);

inline bool is_taken_off(Standing standing) {
  return standing == Standing::kRevoked || standing == Standing::kRetired ||
         standing == Standing::kSuspended;
}

// What a link may be used for, each with all before it. Whoever has it has proven its device key.
enum class Access : std::uint8_t {
  kRootLog,     // records of the root are taken, whoever brings them: they may change any verdict
  kLogs,        // records of issuers, too
  kRestricted,  // renewal, and upload of its own logs
  kFull,
};
Access access_of(Standing standing);

// Which records of authorities a device is told.
enum class Telling : std::uint8_t {
  kNothing,
  // The root's log, and of issuers what a node needs to come to the same verdicts of devices that
  // were let in: what takes away, proofs of forks, and ways to ends.
  kNeeded,
  kAll,
};
Telling telling_of(Standing standing);

struct Verdict {
  Standing standing = Standing::kUnknown;
  // The one that was judged; none for a device that is unknown, retired, revoked or suspended.
  std::optional<Certificate> certificate = std::nullopt;
  bool renewal_due = false;

  Access access() const { return access_of(standing); }
  Telling telling() const { return telling_of(standing); }
  // With this role, at this time.
  bool is_full() const { return access() == Access::kFull; }
  bool may(std::uint64_t role) const {
    return is_full() && certificate && certificate->has_role(role);
  }
};

}  // namespace ebb::trust
