// Live: what happens to news while a link is up: pushes, announcements, acknowledgements.
//
// Model:     a new segment is pushed to links that are eager for its log and known to hold what
//            comes before it; after its commit it is announced to the others, newest per log, a few
//            milliseconds gathered. Announcements are a cursor over arrivals, so none is forgotten.
//            The first link to push a log is its parent; the author refreshes the tree of a busy
//            log with a flood now and then. Control logs are pushed to who has asked alone, which
//            makes their trees; a log that begins takes over the tree of its device's control log.
//            ACK gives credit back and names what is durable, in the same rhythm.
// Threads:   not thread-safe; part of the engine.
// Limits:    segments above limits::kPushBytes, and the first ones of a log above kFloodBytes, are
//            only announced.
// Spec:      docs/wire_format.md section 7
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

// `source`: the slot it came from, or kNoSlot for our own. `flood`: it came as the flood of a
// refresh, and goes on as such.
void push_segment(Context& ctx, LogEntry& entry, const trust::VerifiedSegment& segment, int source,
                  bool flood);
// A push brought news: its link becomes parent where there is none, or where the parent has stayed
// silent twice. A race that was lost once changes nothing.
void note_push(const Link& link, LogEntry& entry);
// What was asked for came: of a control log, and after an announcement, that makes the parent.
void note_answer(const Link& link, LogEntry& entry, const LogKey& key);
// A push brought what is here already: its link shall announce from now on, unless it is the
// parent; then the link that was faster shall.
void note_duplicate(Context& ctx, Link& link, LogEntry& entry);
// The link shall announce what is new in the log, and not push it.
void stop_pushes(Context& ctx, Link& link, LogEntry& entry);
// A flood came: true when the ways of the log are to be found anew, and the flood goes on.
bool note_flood(Context& ctx, LogEntry& entry);
// There may be something to announce or acknowledge: flush after the batching time.
void plan_flush(Context& ctx, Link& link);
// The same when it is about control logs alone, which are in no hurry.
void plan_late_flush(Context& ctx, Link& link);
// Sends prunes at once, and everything else when it is due.
void flush_link(Context& ctx, Link& link);
// One ACK with all that is owed; `done`: we have all that we wanted of the exchange.
void send_ack(Context& ctx, Link& link, bool done);

void on_ack(Context& ctx, Link& link, const codec::Ack& ack);
void on_have(Context& ctx, Link& link, const codec::Have& have);
void on_prune(Context& ctx, Link& link, const codec::Prune& prune);

}  // namespace ebb::mesh
