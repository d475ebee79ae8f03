// What goes into the engine and what comes out of it: plain values, no callbacks.
//
// Threads: values; any thread.
// Spec:    docs/wire_format.md section 7
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "codec/message.h"
#include "codec/record.h"
#include "core/bytes.h"
#include "core/clock_judge.h"
#include "core/ids.h"
#include "core/result.h"
#include "core/shared_bytes.h"
#include "core/time.h"
#include "mesh/membership_types.h"
#include "trust/segment_verify.h"

namespace ebb::mesh {

// What the engine has to know of a log that is stored.
struct StoredHead {
  LogKey key;
  LogId log;
  Position held;
  Hlc hlc;
  Signature signature;
  Arrival arrival = 0;
  bool capped = false;
};

// The newest presence of a device that is stored.
struct HeldPresence {
  DeviceId device;
  Hlc hlc;
  codec::Presence said;
};

// ---- settings

// Minutes of the local day; from > to goes over midnight.
struct QuietHours {
  std::int32_t from = 0;
  std::int32_t to = 0;
  bool operator==(const QuietHours&) const = default;
};
// What links to some addresses may cost (link_budget.h).
struct LinkClass {
  std::string name;
  std::vector<std::string> addresses;  // patterns
  std::uint64_t daily_bytes = 0;       // 0: no bound
  std::optional<QuietHours> quiet;
  bool operator==(const LinkClass&) const = default;
};
// How the segments of a topic go out: `live` ones are never history; `late` ones always are, even
// when they are new.
enum class TopicPriority : std::uint8_t { kNormal, kLive, kLate };

// What a class has spent on a day of the local calendar.
struct BudgetSpent {
  std::string link_class;
  std::int64_t day = 0;
  std::uint64_t bytes = 0;
  bool operator==(const BudgetSpent&) const = default;
};

// ---- inputs

// A connection is open; `remote` is host:port as the socket sees it, for logs only.
struct LinkUp {
  LinkId link;
  bool dialled = false;
  std::string remote;
};
// Gone, whoever closed it. For a dial that never came up too.
struct LinkDown {
  LinkId link;
  std::string reason;
};
struct StreamBytes {
  LinkId link;
  Bytes bytes;
};
// How much waits in the driver for this link. Said soon after a Send that asks for it, and whenever
// that has become less, until nothing waits.
struct SendProgress {
  LinkId link;
  std::size_t waiting_bytes = 0;
};
struct Datagram {
  std::string from;  // host:port
  Bytes bytes;
};

// DO NOT REORDER: same meaning as store::SegmentOutcome, by name.
enum class CommitOutcome : std::uint8_t {
  kStored,
  kDuplicate,
  kGap,
  kFork,
  kRefused,
  kTooManyLogs,
  kOverQuota
};

// The answer to a Commit effect (token != 0), or news of what local programs appended (token 0).
struct Committed {
  Token token;
  std::optional<Error> failed;                       // nothing of it is stored
  std::vector<CommitOutcome> outcomes;               // one per segment of the Commit
  std::vector<StoredHead> advanced;                  // logs that moved, with new arrivals
  std::vector<trust::VerifiedSegment> own_segments;  // to be pushed
  std::vector<HeldPresence> presences;               // newer than what was stored
  // Everything up to it has been told; 0 while more of the same transaction follows.
  Arrival arrival_head = 0;
};
struct ReadDone {
  Token token;
  std::optional<Error> failed;
  std::vector<SharedBytes> segments;  // as stored (cut where asked), oldest first
};
struct Tick {};
// The calendar and clock of the place, for budgets and quiet hours: at the start, and when the
// minute changes.
struct LocalTime {
  std::int64_t day = 0;     // since 1970
  std::int32_t minute = 0;  // of the day
};
struct AddPeer {
  std::string address;  // host:port; a repeat has no effect
};
// Where a node of this mesh seems to be: somebody has heard it say so nearby. It is dialled when
// links are wanted, and forgotten as what others tell.
struct AddressHeard {
  std::string address;  // host:port
};
// All addresses that lead to this node from now on, the best first; empty: none.
struct AddressesChanged {
  std::vector<std::string> addresses;
};
// BYE to everyone; the engine answers nothing afterwards.
struct Shutdown {};
// The store has begun a new incarnation, after a RollbackFound notice or to set the clock right.
// Comes before the Committed that tells of its first logs. Behind a rollback the epoch is a new
// one, for arrival numbers that were told may name other events now.
struct IncarnationBegun {
  Incarnation incarnation = 0;
  StoreEpoch epoch = 0;
};

// The store has taken another epoch, after a SetBackFound notice, and holds it.
struct EpochTaken {
  StoreEpoch epoch = 0;
};

// Whether our wall clock is suspect, where that has changed: peers are then not told what it shows.
struct ClockJudged {
  bool suspect = false;
};

using Input =
    std::variant<LinkUp, LinkDown, StreamBytes, SendProgress, Datagram, Committed, ReadDone, Tick,
                 LocalTime, AddPeer, Shutdown, IncarnationBegun, EpochTaken, ClockJudged,
                 AddressHeard, AddressesChanged, IssueWanted, PolicyWanted, InvitesChanged>;

// ---- effects

struct Send {
  LinkId link;
  Bytes bytes;
  bool report = false;  // answer with SendProgress, even if nothing waits
};
struct SendDatagram {
  std::string to;  // host:port
  Bytes bytes;
};
struct Dial {
  LinkId link;
  std::string address;
};
struct Close {
  LinkId link;
  std::string reason;
};
struct PeerSeen {
  DeviceId device;
  std::string address;  // empty: unknown
  WallTime heard;
};

// One reconciliation as this end saw it, to be kept as a row.
struct Reconciliation {
  ReconciliationId id;
  DeviceId peer;
  std::string_view kind;  // "hello", "cursor", "list", "ranges"
  WallTime started;
  Duration duration;
  std::uint64_t rounds = 0;
  std::uint64_t heads_compared = 0;
  std::uint64_t events_in = 0, events_out = 0;
  std::uint64_t bytes_in = 0, bytes_out = 0;
  std::string_view outcome;  // "in_sync", "left_out", "interrupted", "refused"
  std::uint64_t held_before = 0, known_before = 0;
  std::uint64_t held_after = 0, known_after = 0;
  Fingerprint root_before, root_after;
};

// Arrival 0: there is none any more.
struct CursorMoved {
  DeviceId peer;
  codec::Cursor cursor;
};

// To be stored in one transaction, answered by Committed with the token. One with neither segments
// nor records of authorities asks for no answer: its rows may ride with any later transaction.
struct Commit {
  Token token;
  std::vector<trust::VerifiedSegment> segments;
  std::vector<CursorMoved> cursors;
  std::vector<Reconciliation> reconciliations;
  std::vector<PeerSeen> peers;
  std::vector<BudgetSpent> budgets;
  AuthorityUpdate authority;

  bool is_answered() const { return !segments.empty() || !authority.empty(); }
};
struct Read {
  Token token;
  LogId log;
  Seq from = 0;
  Seq to = 0;  // inclusive; never 0 here
  std::size_t bytes_max = 0;
};

// What peers say the time is, where that has changed; nullopt: too few of them say anything.
struct PeerClockMoved {
  std::optional<PeerClock> clock;
};

// To be appended to our control topic; told by Committed like any append.
struct WriteRecord {
  std::string_view type;  // a static text
  Bytes payload;
};

// Each counts in metrics; a fault also closes the link.
struct PeerFault {
  LinkId link;
  std::optional<DeviceId> peer;
  std::string_view reason;  // static: "malformed_frame", "bad_signature", "too_large", ...
  std::string detail;
};

// Worth a log line and perhaps a person's attention.
enum class NoticeKind : std::uint8_t {
  kLinkEstablished,
  kLinkClosed,
  kRefused,        // another mesh or wire version; text says which
  kUnanswered,     // a dialled address closes or stands still before a byte of the handshake
  kForkSuspected,  // two histories of a log were seen
  kRollbackFound,  // a peer holds more of our own log than we do: begin a new incarnation
  kSetBackFound,   // a peer knows later arrivals of our epoch than we do: take another epoch
  kLogCapped,
  kLogRefused,     // of too many logs; text says which
  kOverQuota,      // its author has used up its quota; text says which log
  kNotAdmitted,    // a peer, or ourselves at a peer: text says who and why
  kAuthorRefused,  // its author may not write it: no certificate, role or prefix; text says which
  kTrustClock,  // certificates are judged by what peers say the time is, or no more; text says why
};
struct Notice {
  NoticeKind kind;
  LinkId link;
  std::optional<DeviceId> peer;
  std::string text;
};

// To be carried out in the order of the fields: what was sent on a link before its Close still goes
// out.
struct Effects {
  std::vector<Send> sends;
  std::vector<SendDatagram> datagrams;
  std::vector<Dial> dials;
  std::vector<Close> closes;
  std::vector<Commit> commits;
  std::vector<Read> reads;
  std::vector<PeerFault> faults;
  std::vector<Notice> notices;
  std::vector<PeerClockMoved> clocks;
  std::vector<WriteRecord> records;
  std::vector<InviteUsed> invites;  // to be kept before the commits of these effects are begun
  std::vector<Issued> issued;

  bool empty() const {
    return sends.empty() && datagrams.empty() && dials.empty() && closes.empty() &&
           commits.empty() && reads.empty() && faults.empty() && notices.empty() &&
           clocks.empty() && records.empty() && invites.empty() && issued.empty();
  }
};

}  // namespace ebb::mesh
