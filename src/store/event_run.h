// EventRun: decoded events of one log in a row, as the fold takes them. It does not own the event
// bytes' meaning: whether they may be believed was settled before.
//
// Ownership: views point into `raw` where it is set, else into what the maker of the run says.
// Threads:   values; any thread.
// Errors:    kCorrupt for a body that does not hold what was said of it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "codec/event.h"
#include "core/ids.h"
#include "core/result.h"
#include "core/shared_bytes.h"
#include "store/quota.h"
#include "store/zone_map.h"
#include "trust/segment_verify.h"

namespace ebb::store {

struct EventRun {
  LogId log;
  Seq first_seq = 0;
  std::vector<codec::EventView> events;
  Hash end_chain;  // chain of the last of `events`; without meaning when there are none
  SharedBytes raw;

  Seq end_seq() const { return first_seq + events.size() - 1; }
};

// chain(seq) inside the segment, first_seq - 1 <= seq <= last_seq.
Hash chain_inside(const trust::VerifiedSegment& segment, Seq seq);

struct DecodedRun {
  EventRun run;                // ends before the first event of a newer format
  ZoneMap zone;                // of [first_seq, to]
  Hlc last_hlc;                // of event `to`, whatever its format
  std::vector<DayCount> days;  // of [first_seq, to], whatever their format
};
// The events of `segment` up to `to`, all of which are valid.
Result<DecodedRun> decode_run(const trust::VerifiedSegment& segment, Seq to);

// The same for a stored body that was believed before: events [from, to], where the body begins at
// `first_seq`, and `end_chain` is chain(to) as stored next to it. `prev_chain` is chain(first_seq
// - 1), needed only when an event of a newer format ends the run early.
struct StoredBody {
  LogId log;
  Seq first_seq = 0;
  Hash prev_chain;
  SharedBytes raw;
};
Result<EventRun> decode_stored_run(const StoredBody& body, Seq from, Seq to, const Hash& end_chain);

}  // namespace ebb::store
