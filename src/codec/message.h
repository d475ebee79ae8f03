// Messages between nodes: one plain struct each, a variant of all of them, and the codec.
//
// Model:     decode_message copies what it keeps, except the bytes of segments and of records of
//            authorities, which are views into the frame and valid as long as it.
// Ownership: a message is moved and not copied: one of them holds a secret, which is wiped with it.
// Errors:    kMalformed, kNotCanonical, kTooLarge; a type this version does not know is
//            kUnsupported and is to be counted and ignored; so is a kind of YOUR_LOGS, SYNC_REQ,
//            SYNC_RESP, SCOPE or AUTH that it does not know. What fields mean is for the engine to
//            judge: seqs may be 0 and ranges empty.
// Limits:    limits::kFrameBytes, kElementsPerFrame, kHeadsPerMessage, kRangesPerMessage,
//            kPeersPerMessage.
// Threads:   pure functions; any thread.
// Spec:      docs/wire_format.md section 7
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "codec/frame.h"
#include "codec/segment.h"
#include "core/bytes.h"
#include "core/id_prefix.h"
#include "core/ids.h"
#include "core/mesh_secret.h"
#include "core/result.h"
#include "core/scope.h"
#include "core/time.h"
#include "ebb/version.h"

namespace ebb::codec {

inline constexpr std::uint64_t kWireVersion = kWireVersionMax;

// DO NOT CHANGE: sent. In Hello::budget_class, 0 stands for no bound; a number above is as this
// one.
inline constexpr std::uint64_t kBudgetMetered = 1;

// DO NOT CHANGE: sent. A received Bye may hold a number that is not among these.
enum class ByeCode : std::uint8_t {
  kShutdown = 0,
  kOtherMesh = 1,
  kNoCommonVersion = 2,
  kDuplicateLink = 3,
  kProtocolError = 4,
  kTooManyLinks = 5,
  kSelf = 6,
  kOverlayFull = 7,
  kNotAdmitted = 8,
};

// DO NOT CHANGE: sent. Why nobody was certified, in AuthRefused::code.
enum class AuthRefusal : std::uint8_t {
  kNoIssuer = 1,
  kNotByPolicy = 2,
  kInviteExpired = 3,
  kInviteUsed = 4,
  kTakenOff = 5,  // revoked or retired
  kLater = 6,
  kClock = 7,
};

// DO NOT CHANGE: sent. What a peer may do on the link, in AuthGrant::access.
enum class GrantedAccess : std::uint8_t { kNone = 0, kRecords = 1, kRestricted = 2, kFull = 3 };

// DO NOT CHANGE: sent. Bits of Hello::features.
inline constexpr std::uint64_t kFeatureShortOfLinks = 1;  // give me a slot, whoever has to go
inline constexpr std::uint64_t kFeatureWantsPeers = 2;    // tell me addresses
inline constexpr std::uint64_t kFeatureRelay = 4;         // full scope, for those who have less
inline constexpr std::uint64_t kFeatureWantsRelay = 8;    // partial scope, no link to a relay yet

using ChainPrefix = FixedBytes<8, struct ChainPrefixTag>;
using ChainCut = FixedBytes<2, struct ChainCutTag>;
using LogCut = FixedBytes<7, struct LogCutTag>;  // of a log id, under the salt of a link

using AuthorityDigest = FixedBytes<16, struct AuthorityDigestTag>;

struct Cursor {
  StoreEpoch epoch = 0;
  Arrival arrival = 0;
  bool operator==(const Cursor&) const = default;
};

struct Hello {
  MeshId mesh;
  std::uint64_t wire_min = kWireVersion;
  std::uint64_t wire_max = kWireVersion;
  std::uint64_t fold_version = 0;
  std::uint64_t features = 0;
  StoreEpoch epoch = 0;
  Arrival arrival_head = 0;
  Cursor cursor;                    // the one I hold for you
  std::uint64_t changes_since = 0;  // mine, since the cursor I know you to hold
  ScopeHash my_scope;
  ScopeHash your_scope;
  Fingerprint root;
  std::uint64_t count = 0;
  WallTime wall;
  std::uint64_t budget_class = 0;
  ReconciliationId reconciliation;
  bool operator==(const Hello&) const = default;
};

struct SignedHead {
  LogKey key;
  Seq seq = 0;
  Hlc hlc;
  Hash chain;
  Signature signature;
  bool operator==(const SignedHead&) const = default;
};

struct YourLogsSummary {
  Fingerprint fingerprint;
  std::uint64_t count = 0;
  bool operator==(const YourLogsSummary&) const = default;
};
struct YourLogsAsk {
  bool operator==(const YourLogsAsk&) const = default;
};
struct YourLogsHeads {
  std::vector<SignedHead> heads;
  bool more = false;
  bool operator==(const YourLogsHeads&) const = default;
};

// Heads by log id, from behind this one on.
struct SyncListReq {
  LogId after;
  bool operator==(const SyncListReq&) const = default;
};

// What the sender's fingerprints are below a prefix; zero: no head there.
struct SyncRange {
  IdPrefix prefix;
  std::array<Fingerprint, IdPrefix::kChildren> children;
  bool operator==(const SyncRange&) const = default;
};
struct SyncRangesReq {
  std::vector<SyncRange> ranges;
  bool operator==(const SyncRangesReq&) const = default;
};
// Which logs are these?
struct SyncCutsReq {
  std::vector<LogCut> cuts;
  bool operator==(const SyncCutsReq&) const = default;
};
// Show the signed heads of these.
struct SyncHeadsReq {
  std::vector<LogId> logs;
  bool operator==(const SyncHeadsReq&) const = default;
};

// Do we have the same below this prefix? Answered by its range, or by none when we do.
struct SyncAuditReq {
  IdPrefix prefix;
  Fingerprint fingerprint;
  bool operator==(const SyncAuditReq&) const = default;
};

struct ListedHead {
  LogId log;
  Seq seq = 0;
  ChainPrefix chain;
  bool operator==(const ListedHead&) const = default;
};
struct CutHead {
  LogCut log;
  Seq seq = 0;
  ChainCut chain;
  bool operator==(const CutHead&) const = default;
};

// A page of the list, or the whole heads of the cuts that were asked for.
struct SyncList {
  std::vector<ListedHead> heads;
  bool more = false;
  Arrival covered = 0;  // whoever stores this list to its end has everything up to here
  bool operator==(const SyncList&) const = default;
};
// Of the ranges in a request: those that differ, as finer ranges or as their heads.
struct SyncRanges {
  std::vector<SyncRange> ranges;
  std::vector<ListedHead> heads;
  Arrival covered = 0;
  bool operator==(const SyncRanges&) const = default;
};
// Sent without being asked: the heads that changed since the receiver's cursor, in order of
// arrival.
struct SyncChanges {
  std::vector<CutHead> heads;
  std::vector<ListedHead> whole;  // those whose cut would be ambiguous
  bool more = false;
  bool too_many = false;  // ask in another way
  Arrival covered = 0;
  bool operator==(const SyncChanges&) const = default;
};
struct SyncHeads {
  std::vector<SignedHead> heads;
  bool operator==(const SyncHeads&) const = default;
};

struct WantRange {
  LogId log;
  Seq from = 0;
  Seq to = 0;  // 0: open
  bool operator==(const WantRange&) const = default;
};

struct Want {
  ReconciliationId reconciliation;
  std::vector<WantRange> ranges;
  bool operator==(const Want&) const = default;
};

struct Delta {
  ReconciliationId reconciliation;  // zero: live push
  std::vector<LogKey> keys;
  std::vector<ByteView> segments;
  bool last = false;
  bool flood = false;  // a push that finds the ways of its log anew
};

struct LogSeq {
  LogId log;
  Seq seq = 0;
  bool operator==(const LogSeq&) const = default;
};

struct Ack {
  ReconciliationId reconciliation;
  std::uint64_t credit_bytes = 0;
  std::vector<LogSeq> durable;
  bool done = false;
  bool operator==(const Ack&) const = default;
};

struct Have {
  std::vector<LogSeq> heads;
  // The receiver has told that it holds all that the sender committed up to here; 0: not said.
  Arrival covered = 0;
  bool operator==(const Have&) const = default;
};

struct Prune {
  std::vector<LogId> logs;
  bool operator==(const Prune&) const = default;
};

struct Ping {
  std::uint64_t nonce = 0;
  bool reply = false;
  bool operator==(const Ping&) const = default;
};

struct PeerAddress {
  DeviceId device;
  std::string address;  // host:port
  bool operator==(const PeerAddress&) const = default;
};

struct Peers {
  std::vector<PeerAddress> peers;
  bool shuffle = false;  // answer with addresses of yours
  bool operator==(const Peers&) const = default;
};

// My scope, told to who does not know it.
struct ScopeTold {
  Scope scope;
  bool operator==(const ScopeTold&) const = default;
};
// The heads that are in both our scopes, now that both are known.
struct ScopeRoot {
  Fingerprint root;
  std::uint64_t count = 0;
  bool operator==(const ScopeRoot&) const = default;
};

// Records of authorities. The one with `more` false ends what there is to tell now.
struct AuthRecords {
  std::vector<ByteView> records;
  bool more = false;
  AuthorityDigest digest;  // of what the sender holds then; zero: not said
  WallTime wall;           // what its clock shows; 0: not said
};
// Certify me, please: under this label, with the link key of the channel.
struct AuthAsk {
  std::string label;
  bool operator==(const AuthAsk&) const = default;
};
struct AuthRefused {
  AuthRefusal code = AuthRefusal::kNoIssuer;  // as received, perhaps none of these
  std::string text;
  bool operator==(const AuthRefused&) const = default;
};
// To who joins.
struct AuthMesh {
  Bytes genesis;
  std::optional<MeshSecret> secret;
  bool operator==(const AuthMesh&) const = default;
};
// What the receiver may do on this link, until another comes.
struct AuthGrant {
  GrantedAccess access = GrantedAccess::kNone;
  std::uint64_t roles = 0;  // that count here, as in a certificate
  std::string text;         // why it is no more
  bool operator==(const AuthGrant&) const = default;
};
// What the sender holds, to be told all of those logs of which the receiver holds something else.
struct AuthorityLogDigest {
  DeviceId authority;
  AuthorityDigest digest;
  bool operator==(const AuthorityLogDigest&) const = default;
};
struct AuthCompare {
  AuthorityDigest digest;
  std::vector<AuthorityLogDigest> logs;
  bool operator==(const AuthCompare&) const = default;
};

struct Bye {
  ByeCode code = ByeCode::kShutdown;
  std::string text;
  bool operator==(const Bye&) const = default;
};

using Message =
    std::variant<Hello, YourLogsSummary, YourLogsAsk, YourLogsHeads, SyncListReq, SyncRangesReq,
                 SyncCutsReq, SyncHeadsReq, SyncAuditReq, SyncList, SyncRanges, SyncChanges,
                 SyncHeads, Want, Delta, Ack, Have, Prune, Ping, Peers, Bye, ScopeTold, ScopeRoot,
                 AuthRecords, AuthAsk, AuthRefused, AuthMesh, AuthGrant, AuthCompare>;

// A short lower-case name for metrics and logs: "hello", "your_logs", "delta"...
std::string_view message_name(const Message& message);

// What a later version may do, for tests of how this one takes it: one more field behind those of
// an encoded message; a message of a type that this version does not know.
void add_field(Bytes& message);
Bytes later_message();

// Appends the message to `out`. Checked: it keeps to limits::kFrameBytes; the caller also keeps its
// lists within the limits above, or no peer will take it.
void encode_message(const Message& message, Bytes& out);
// Appends an encoded message as the chunks of a frame that nothing interrupts.
void append_frame(Priority priority, ByteView message, Bytes& out);
// Both, with the priority of control.
void encode_frame(const Message& message, Bytes& out);
// The bytes of one frame, as FrameSplitter gives them.
Result<Message> decode_message(ByteView frame);

}  // namespace ebb::codec
