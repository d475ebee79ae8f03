// What goes into the engine and comes out of it about certificates and logs of authorities.
//
// Model:     an engine with MembershipConfig lets in whom the records say; one without is an open
//            mesh, in which who proves a device key is a full member. What is to be kept rides in
//            Commit::authority; what an issuer signs is told to nobody, not even in an Issued,
//            before it is durable.
// Threads:   values; any thread.
// Spec:      docs/wire_format.md sections 7 and 13, docs/store_format.md section 9
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "core/copied_secret.h"
#include "core/ids.h"
#include "core/limits.h"
#include "core/result.h"
#include "core/time.h"
#include "trust/authority.h"
#include "trust/authority_record.h"
#include "trust/certificate.h"
#include "trust/genesis.h"
#include "trust/identity.h"
#include "trust/invite.h"
#include "trust/terms.h"
#include "trust/time_floor.h"
#include "trust/verdict.h"

namespace ebb::mesh {

// Names a connection for as long as it lives; never reused. Given by the driver for inbound ones
// and by the engine's Dial for outbound ones (ids of the two never collide: see kInboundBit).
struct LinkId {
  std::uint64_t value = 0;
  auto operator<=>(const LinkId&) const = default;
};
inline constexpr std::uint64_t kInboundBit = std::uint64_t{1} << 63;

// Matches an answer with its request; never reused.
struct Token {
  std::uint64_t value = 0;
  auto operator<=>(const Token&) const = default;
};

using trust::InviteId;

struct OpenInvite {
  InviteId id;
  WallTime expires;
  std::uint64_t uses_left = 0;
  // Whose use is counted already: they may ask again, for the answer may not have come.
  std::vector<DeviceId> devices = {};
  trust::Terms terms = {};  // of the certificates that it gives
  bool operator==(const OpenInvite&) const = default;
};

// ---- settings

struct MembershipConfig {
  Bytes genesis;                           // encoded; its hash is the mesh (checked)
  CopiedSecret<trust::MeshSecret> secret;  // handed over to who joins
  std::vector<Bytes> stored;               // records, as earlier Commits have kept them
  std::vector<Bytes> given;  // from a file of the device: taken, and kept where they are news
  std::vector<trust::AuthorityMissing> missing;
  trust::TimeFloor::Kept floors;
  std::string label;        // under which this device asks to be certified
  trust::LinkKey link_key;  // of this device's channels
  std::vector<OpenInvite> invites;
  // The key of an issuer that is on this device and signs here alone; nullptr: none. Must outlive
  // the engine.
  const trust::Identity* issuer = nullptr;
  // The store may lack what its issuer has told: nothing is signed before it is there again, up to
  // `signed_to`; or where that is not known, before a member was heard that tells what it holds.
  bool set_back = false;
  std::optional<Position> signed_to;
  trust::AuthorityShares shares;  // of memory, for what authorities have said
};

// ---- inputs

// A person at this device wants a certificate signed; answered by Issued.
struct IssueWanted {
  Token token;  // the driver's, of a number space of its own
  DeviceId device;
  // Absent: of a device that is known, and then all that is absent is as its newest certificate
  // has it. Else what is absent is as trust::Terms has it.
  std::optional<trust::LinkKey> link_key = {};
  std::optional<std::string> label = {};  // absent, of a device that is not known: empty
  std::optional<std::uint64_t> roles = {};
  std::optional<std::vector<std::string>> prefixes = {};
  std::optional<Duration> validity = {};  // from now on
};
// The same for a policy, under the next number.
struct PolicyWanted {
  Token token;
  trust::Admit admit = trust::Admit::kInvite;
};
// All invites that are open or were until lately.
struct InvitesChanged {
  std::vector<OpenInvite> invites;
};

// ---- effects

// Part of a Commit: rows to be put and to go, in its transaction.
struct AuthorityUpdate {
  std::vector<std::pair<DeviceId, Position>> dropped;  // go first: they may have come again
  std::vector<Bytes> records;                          // that are held; perhaps here already
  std::optional<trust::TimeFloor::Kept> floors;        // absent: as they were
  std::optional<std::vector<trust::AuthorityMissing>> missing;  // all of it; absent: as it was

  bool empty() const { return records.empty() && dropped.empty() && !floors && !missing; }
};

// The invite has been used once more, by this device.
struct InviteUsed {
  InviteId id;
  DeviceId device;
};

// The answer to IssueWanted or PolicyWanted; durable, unless it has failed.
struct Issued {
  Token token;
  // kNotFound: no issuer here, or a device without a certificate and no link key; kPermission: the
  // issuer's own time is over, its log is stopped, or the clock is not believed; kBusy: too many
  // wait, or (set_back) no member was heard yet; those of sign_certificate.
  Result<Bytes> record;
};

}  // namespace ebb::mesh
