// Plain values that go into and come out of the store.
//
// Threads: values; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "codec/record.h"
#include "core/bytes.h"
#include "core/clock_judge.h"
#include "core/effective_head.h"
#include "core/hlc.h"
#include "core/ids.h"
#include "core/result.h"
#include "core/time.h"
#include "trust/authority.h"
#include "trust/segment_verify.h"
#include "trust/time_floor.h"

namespace ebb::store {

// One event to append; the store gives it seq and hlc. Payload is canonical (codec::ValueBuilder).
struct AppendEvent {
  std::string type;
  std::optional<std::int64_t> ts_ms;
  std::optional<std::string> source;
  std::uint64_t schema = 0;
  Bytes payload;
  std::optional<Uuid> id;
};

// Operations on objects become events inside the store, which knows the dots they supersede. An id
// makes them idempotent, as it does events. The dot of a change to a set is that of its last event:
// one is enough unless a remove has more to kill than fits into it.
struct CounterAdd {
  std::string name;
  std::int64_t amount = 0;
  std::optional<Uuid> id = {};
};
struct SetChange {
  std::string name;
  std::string element;
  bool add = true;
  std::optional<Uuid> id;
};
using AppendItem = std::variant<AppendEvent, CounterAdd, SetChange>;

// What one client asked for at once: all of it is stored, or none.
struct AppendBatch {
  std::string topic{kDefaultTopic};
  std::vector<AppendItem> items;
};

// `count` items in the order of the request got these consecutive dots.
struct DotRange {
  LogId log;
  Seq first_seq = 0;
  std::uint64_t count = 0;
  bool duplicate = false;  // a repeated client id: the dots given the first time
};

struct HeadRecord {
  LogKey key;
  LogId log;
  Position held;      // stored; an invalid event ends the log below itself
  HeadBounds bounds;  // empty: nothing sets any yet
  Hlc hlc;
  Signature signature;
  Position floor;  // raw events at or below are gone; seq 0: none
  Arrival arrival = 0;
  bool capped = false;  // above `held`

  Position effective() const { return effective_head(held, bounds); }
};

enum class SegmentOutcome : std::uint8_t {
  kStored,       // all or its unseen end
  kDuplicate,    // nothing new in it
  kGap,          // begins above held + 1: not stored
  kFork,         // its prev_chain or an overlapping chain is not ours: not stored, evidence
  kRefused,      // the log is capped below it, or a bound on seqs would be passed: not stored
  kTooManyLogs,  // the log is new, and there is no row for it (kKnownLogs, kLogsPerDevice)
  kOverQuota,    // its author has used up a day that it has events of: not stored
};

// Arrival 0: there is none any more.
struct CursorUpdate {
  DeviceId peer;
  StoreEpoch epoch = 0;
  Arrival arrival = 0;
};

// A reconciliation as both ends keep it.
struct ReconciliationRow {
  ReconciliationId id;
  DeviceId peer;
  std::string kind;  // "hello", "cursor", "list", "ranges"
  WallTime started;
  std::int64_t duration_us = 0;
  std::uint64_t rounds = 0;
  std::uint64_t heads_compared = 0;
  std::uint64_t events_in = 0, events_out = 0;
  std::uint64_t bytes_in = 0, bytes_out = 0;
  std::string outcome;  // "in_sync", "left_out", "interrupted", "refused"
  // Completeness: held events of all events either side knew, before and after.
  std::uint64_t held_before = 0, known_before = 0;
  std::uint64_t held_after = 0, known_after = 0;
  Fingerprint root_before, root_after;
};

struct PeerRow {
  DeviceId device;
  std::string address;  // host:port it listens on; empty when unknown
  WallTime last_heard;
};

// The newest presence of a device that is held.
struct PresenceRow {
  DeviceId device;
  Hlc hlc;  // of the event
  codec::Presence said;
  bool operator==(const PresenceRow&) const = default;
};

// What links of a class have spent on a day.
struct LinkBudgetRow {
  std::string link_class;
  std::int64_t day = 0;  // of the local calendar, since 1970
  std::uint64_t bytes = 0;
};

// What is kept of the logs of authorities: rows to be put and to go; of all of them, what is held.
struct AuthorityRows {
  std::vector<Bytes> records;
  std::vector<std::pair<DeviceId, Position>> dropped;
  std::optional<trust::TimeFloor::Kept> floors;                 // absent: as they were
  std::optional<std::vector<trust::AuthorityMissing>> missing;  // all of it; absent: as it was
};

// One transaction's worth of work: group commit is the caller gathering these.
struct CommitBatch {
  std::vector<AppendBatch> appends;
  std::vector<trust::VerifiedSegment> segments;
  std::vector<CursorUpdate> cursors;
  std::vector<ReconciliationRow> reconciliations;
  std::vector<PeerRow> peers;
  std::vector<LinkBudgetRow> link_budgets;
  AuthorityRows authority;
  bool probe =
      false;  // write something whatever else there is, so that success says the disk takes it
  ClockReading now;
};

struct HeadAdvance {
  HeadRecord head;  // after the commit
  Position before;
  bool own_append = false;
};

// An incarnation of our logs that has begun, and the epoch from then on: a new one where the store
// was set back.
struct Begun {
  Incarnation incarnation = 0;
  StoreEpoch epoch = 0;
  bool operator==(const Begun&) const = default;
};

struct CommitResult {
  std::vector<Result<std::vector<DotRange>>> appends;  // one per AppendBatch
  std::vector<SegmentOutcome> segments;                // one per VerifiedSegment
  std::vector<HeadAdvance> advances;                   // one per log that moved
  std::vector<trust::VerifiedSegment> own_segments;    // sealed by this commit, to be pushed
  std::vector<PresenceRow> presences;                  // that are newer than what was held
  Arrival arrival_head = 0;
  ClockVerdict clock;                 // what was stamped with
  std::vector<Error> clock_troubles;  // why a repair of it is not whole, or not made
  std::optional<Begun> begun;         // with this commit
  std::optional<StoreEpoch> epoch;    // that this commit took, and gave its arrivals in
  std::vector<Error> damage;          // found in what it read, and made good: counts of quotas
};

}  // namespace ebb::store
