// Reconcile: how a link begins. Equal roots: done with the greeting. Otherwise each side learns
// what the other holds (learn.h), wants what it lacks, and says done when all of it is stored.
//
// Model:     Exchange in link.h. It ends when both sides have said done: in_sync, or left_out where
//            this end could not have something that the other has; interrupted when the link ends
//            before, refused when the HELLO was. Each end is one row.
//   - Cursor of a peer: everything that it had committed up to that arrival, in that epoch of its
//     store, is stored here. It moves at the end of an exchange, in a transaction behind those of
//     what was learnt, and not at all when something of that was left out.
//     Rationale: a cursor that runs ahead hides a gap from every later exchange but those that
//     compare fingerprints; one that lags only costs bytes.
// Threads:   not thread-safe; part of the engine.
// Spec:      docs/wire_format.md section 7
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

// HELLOs were exchanged.
void begin_exchange(Context& ctx, Link& link);
// Both ends know both scopes, and the roots are over what is in both.
void scopes_agreed(Context& ctx, Link& link);
// Where that is so and own logs may go out: compares roots, then ends the exchange or learns what
// differs.
void settle_when_known(Context& ctx, Link& link);
// Says done once everything that was learnt is stored.
void check_done(Context& ctx, Link& link);
// The peer has all that it wanted.
void on_done(Context& ctx, Link& link);

// A log was stored further, or is given up on one link.
void note_stored(Context& ctx, const LogEntry& entry);
void stop_awaiting(Context& ctx, Link& link, const LogId& log);

void refuse_exchange(Context& ctx, Link& link);
void interrupt_exchange(Context& ctx, Link& link);

}  // namespace ebb::mesh
