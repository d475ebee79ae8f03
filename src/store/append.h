// AppendStage: what one commit appends to this device's own logs, before any of it is stored.
//
// Model:     add() encodes and hashes a batch behind what earlier batches of the commit gave the
// same topic;
//            a batch that fails leaves no trace. seal() makes segments of at most
//            the size that they have at rest, with one signature each; a full one is compressed
//            at once and never merged, a smaller one is left raw.
// Ownership: views of events point into the batches, which must outlive the stage and its runs.
// Threads:   not thread-safe; a value of one commit.
// Errors:    add: kInvalidArgument, kTooLarge and those of codec/event.h for the batch alone; an
//            error of the database (kIo, kCorrupt, kDiskFull) ends the commit and comes out of
//            status().
// Spec:      docs/wire_format.md sections 3 to 5
#pragma once

#include <deque>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "core/clock_judge.h"
#include "core/hlc.h"
#include "core/result.h"
#include "state/fold.h"
#include "store/client_ids.h"
#include "store/event_run.h"
#include "store/log_table.h"
#include "store/types.h"
#include "trust/identity.h"

namespace ebb::store {

// Where a commit's appends go. All of it outlives the stage.
struct AppendTarget {
  const trust::Identity& identity;
  Incarnation incarnation = 0;
  LogStage& logs;
  const LogTable& table;
  ClientIds& client_ids;
  const state::Fold& fold;
  std::size_t topics = 0;  // of this incarnation, the control topic left out
  bool damaged = false;    // the state of some log ends early
};

struct SealedRun {
  LogNumber n = 0;
  trust::VerifiedSegment segment;
  ZoneMap zone;
  EventRun run;
  bool packed = false;  // as large as a segment at rest, and encoded as one
};

class AppendStage {
 public:
  // Stamps with the time of the verdict, and says so where it is suspect.
  AppendStage(AppendTarget target, HlcClock clock, const ClockVerdict& verdict)
      : target_(target), clock_(clock), now_(verdict.time), suspect_(verdict.suspect()) {}

  Result<std::vector<DotRange>> add(const AppendBatch& batch);
  // The first error of the database; everything after it is void.
  const Status& status() const { return status_; }

  // Seals what add() took and moves the heads of its logs.
  std::vector<SealedRun> seal();
  // The client ids of the commit, to be stored once seal() has made the logs known.
  Status store_client_ids();
  std::size_t client_id_count() const { return ids_.size(); }

  const HlcClock& clock() const { return clock_; }

 private:
  struct Chunk {
    Seq first_seq = 0;
    Hash chain;  // behind the last of the events
    Bytes raw;
    std::vector<std::uint32_t> offsets = {0};
    std::vector<codec::EventView> events;
  };
  struct OwnLog {
    LogKey key;
    LogId id;
    Seq next_seq = 1;
    Hlc held_hlc;
    Hash chain;  // behind the last event that is held
    bool is_new = false;
    bool capped = false;
    std::vector<Chunk> chunks;
    std::deque<Bytes> payloads;  // of operations, which no batch holds
  };
  using ElementKey = std::tuple<std::string, std::string, std::string>;  // topic, name, element
  // What a batch changes beside its log; joined with the commit's when the batch is whole.
  struct BatchScope {
    OwnLog& log;
    std::map<Uuid, Dot> ids;
    std::map<ElementKey, std::vector<Dot>> elements;
    std::vector<DotRange> ranges;
  };

  Result<OwnLog*> own_log(const std::string& topic);
  // Whether another log fits.
  Status check_room(const std::string& topic) const;
  Status add_item(BatchScope& scope, const AppendItem& item);
  Status add_event(BatchScope& scope, const AppendEvent& event);
  Status add_counter(BatchScope& scope, const CounterAdd& change);
  Status add_set(BatchScope& scope, const SetChange& change);
  std::vector<Dot> live_dots(const BatchScope& scope, const ElementKey& key) const;
  Status append_event(BatchScope& scope, const codec::EventView& event);
  // One event more in the log; the scope does not know of it until take_dot().
  Result<Dot> encode_event(OwnLog& log, codec::EventView event);
  void take_dot(BatchScope& scope, const Dot& dot, const std::optional<Uuid>& id);
  // Whether the id was given before; its first dot is then in the ranges.
  Result<bool> is_repeat(BatchScope& scope, const std::optional<Uuid>& id);
  Result<std::optional<Dot>> first_dot(const BatchScope& scope, const Uuid& id);
  Chunk& begin_chunk(OwnLog& log);
  SealedRun seal_chunk(const OwnLog& log, LogRow& row, Chunk chunk);

  AppendTarget target_;
  HlcClock clock_;
  WallTime now_;
  bool suspect_;
  Status status_;
  std::map<std::string, OwnLog> logs_;  // by topic
  std::size_t new_logs_ = 0;
  std::size_t new_topics_ = 0;  // of those, the control topic left out
  std::map<Uuid, Dot> ids_;
  // The live dots of elements that operations of this commit have changed.
  std::map<ElementKey, std::vector<Dot>> elements_;
};

}  // namespace ebb::store
