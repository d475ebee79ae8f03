// AuthorityRecord: one record of the log of an authority: the mesh root, or an issuer.
//
// Model:   a record is verified alone: its chain is the hash of its body, which has the chain
//          before it. What is decoded is verified. Its content may be nothing: of a kind that this
//          program does not know, or that does not read, the record is in its log all the same.
// Errors:  decode: kMalformed, kNotCanonical, kTooLarge, kBadSignature; of another mesh
//          kInvalidArgument.
// Units:   `at` in ms since 1970, by the authority's wall clock.
// Threads: pure functions; any thread.
// Limits:  limits::kAuthorityRecordBytes, kAuthorityRecords, kCutsPerRevoke.
// Spec:    docs/wire_format.md section 13
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "core/time.h"
#include "trust/identity.h"
#include "trust/signed_body.h"

namespace ebb::trust {

// DO NOT CHANGE: signed.
enum class AuthorityKind : std::uint8_t {
  kCert = 1,
  kRetire = 2,
  kRevoke = 3,
  kIssuerAdd = 4,
  kRotate = 5,
  kResolve = 6,
  kPolicy = 7,
  kTime = 8,
};

// DO NOT RENAME their texts ("invite", "secret"): they are signed.
enum class Admit : std::uint8_t { kInvite, kSecret };

namespace record {
// Certificates are bytes as signed, and verified by whoever looks into them.
struct Unknown {
  bool operator==(const Unknown&) const = default;
};
struct Cert {
  Bytes certificate;
  bool operator==(const Cert&) const = default;
};
struct Retire {
  DeviceId device;
  WallTime until;
  bool operator==(const Retire&) const = default;
};
struct Cut {
  LogId log;
  Position position;
  bool operator==(const Cut&) const = default;
};
struct Revoke {
  DeviceId device;
  std::vector<Cut> cuts;  // ascending by log, one a log
  bool operator==(const Revoke&) const = default;
};
struct IssuerAdd {
  Bytes certificate;
  bool operator==(const IssuerAdd&) const = default;
};
struct Rotate {
  DeviceId issuer;
  Position end;
  Bytes successor;  // an issuer certificate; empty: none
  bool operator==(const Rotate&) const = default;
};
struct Resolve {
  Cut branch;
  bool operator==(const Resolve&) const = default;
};
struct Policy {
  std::uint64_t number = 1;
  Admit admit = Admit::kInvite;
  bool operator==(const Policy&) const = default;
};
struct Time {
  bool operator==(const Time&) const = default;
};
using Content =
    std::variant<Unknown, Cert, Retire, Revoke, IssuerAdd, Rotate, Resolve, Policy, Time>;
}  // namespace record

struct AuthorityRecord {
  MeshId mesh;
  DeviceId authority;
  Seq seq = 0;
  Hash previous;  // the chain before it
  WallTime at;
  record::Content content;
  Hash chain;  // of it; nothing to whoever signs one

  Position position() const { return {seq, chain}; }
};

// chain(0) of an authority's log.
Hash authority_chain_start(const MeshId& mesh, const DeviceId& authority);
// Of a record that decode would give back; kTooLarge beyond the bounds. An Unknown is a programmer
// error, and so is another signer than the record's authority.
Result<Bytes> sign_authority_record(const Identity& authority, const AuthorityRecord& record);
// One whose signature nobody has looked at yet, so that what is known or in vain costs none.
struct ReadRecord {
  AuthorityRecord record;
  SignedBody parts;  // views into what was read
};
Result<ReadRecord> read_authority_record(const MeshId& mesh, ByteView encoded);
bool record_holds(const ReadRecord& read, const SignatureCheck& signatures);
// Both at once.
Result<AuthorityRecord> decode_authority_record(
    const MeshId& mesh, ByteView encoded, const SignatureCheck& signatures = SignatureCheck());

// What of the logs of authorities somebody has: the payloads of handshakes carry it.
struct AuthorityHead {
  DeviceId authority;
  Position end;
  bool operator==(const AuthorityHead&) const = default;
};
// Ascending by authority; at most limits::kIssuers + 1 (checked).
Bytes encode_authority_heads(const std::vector<AuthorityHead>& heads);
Result<std::vector<AuthorityHead>> decode_authority_heads(ByteView bytes);

}  // namespace ebb::trust
