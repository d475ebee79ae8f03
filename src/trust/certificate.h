// Certificates: who is a device of the mesh, and who may say so.
//
// Model:   a device certificate is signed by an issuer, an issuer certificate by the mesh root.
//          What is decoded is verified too; what is only read is not. Whether it counts now, here,
//          is the Authority's to say. An issuer names a device's link key, but only the device can
//          prove that it is its own: whoever has stolen an issuer's key links as nobody else.
// Errors:  read, decode: kMalformed, kNotCanonical, kTooLarge (size, lists, label), kOutOfRange
//          (times); decode: kBadSignature. One of another mesh has kInvalidArgument.
// Units:   times in ms since 1970; quota in bytes a day.
// Threads: pure functions; any thread.
// Limits:  limits::kCertificateBytes, kCertificateMs, kIssuerCertificateMs, kTopicPrefixes.
// Spec:    docs/wire_format.md section 13
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "core/time.h"
#include "trust/identity.h"
#include "trust/signed_body.h"

namespace ebb::trust {

using LinkKey = FixedBytes<32, struct LinkKeyTag>;  // X25519 public key of a device

// Bits. DO NOT CHANGE: signed. Others mean nothing yet, and stay.
namespace roles {
inline constexpr std::uint64_t kReader = 1U << 0U;
inline constexpr std::uint64_t kWriter = 1U << 1U;
inline constexpr std::uint64_t kRelay = 1U << 2U;
inline constexpr std::uint64_t kCheckpointer = 1U << 3U;
inline constexpr std::uint64_t kAdmin = 1U << 4U;
inline constexpr std::uint64_t kIssuer = 1U << 5U;  // an issuer's key is on the device
}  // namespace roles

struct Validity {
  WallTime not_before;
  WallTime not_after;  // excluded

  bool has_begun(WallTime now) const { return not_before <= now; }
  bool has_ended(WallTime now) const { return not_after <= now; }
  bool operator==(const Validity&) const = default;
};

struct Certificate {
  MeshId mesh;
  std::uint64_t serial = 0;
  DeviceId device;
  LinkKey link_key;
  std::string label;
  std::uint64_t roles = 0;
  std::vector<std::string> prefixes;  // ascending; "" is all topics
  std::uint64_t quota = 0;            // 0: the usual one
  Validity validity;
  DeviceId issuer;

  bool has_role(std::uint64_t role) const { return (roles & role) == role; }
  // The control topic always.
  bool allows_topic(std::string_view topic) const;
  // From two thirds of its time on.
  bool is_renewal_due(WallTime now) const;
  bool operator==(const Certificate&) const = default;
};

struct IssuerCertificate {
  MeshId mesh;
  std::uint64_t serial = 0;
  DeviceId issuer;
  std::string label;
  Validity validity;
  bool operator==(const IssuerCertificate&) const = default;
};

// Those that decode would refuse are refused here too, with the same errors; `issuer` must be the
// certificate's (checked).
Result<Bytes> sign_certificate(const Identity& issuer, const Certificate& certificate);
Result<Bytes> sign_issuer_certificate(const Identity& root, const IssuerCertificate& certificate);

// Without a look at its signature.
struct ReadCertificate {
  Certificate certificate;
  SignedBody parts;  // views into what was read
};
Result<ReadCertificate> read_certificate(const MeshId& mesh, ByteView encoded);
bool certificate_holds(const ReadCertificate& read, const SignatureCheck& signatures);
// Both at once.
Result<Certificate> decode_certificate(const MeshId& mesh, ByteView encoded,
                                       const SignatureCheck& signatures = SignatureCheck());
Result<IssuerCertificate> decode_issuer_certificate(
    const MeshId& mesh, const DeviceId& root, ByteView encoded,
    const SignatureCheck& signatures = SignatureCheck());

}  // namespace ebb::trust
