// Learn: finding out which heads the peer holds and we lack. What is learnt is wanted at once.
//
// Model:     one of three ways a link: the changes since our cursor, which come unasked; the whole
//            list in pages; or rounds of fingerprints over ranges of ids, which go two digits
//            deeper each round and end in lists of what differs. A way that turns out too long
//            becomes another one. Learning has ended when the peer owes no answer; what was learnt
//            and cannot be stored is remembered as left out, so that no cursor passes over it.
// Threads:   not thread-safe; part of the engine.
// Errors:    answers that nobody asked for, go back, or do not end are faults.
// Limits:    limits::kKnownLogs heads and ranges an exchange; kRangesInFlight questions at once.
// Spec:      docs/wire_format.md section 7
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

// HELLOs were exchanged: which way this end will learn. Changes may come from now on.
void choose_learning(Link& link);
// Own logs may go out: asks, unless the peer tells without.
void begin_learning(Context& ctx, Link& link);

// Compares what is below a prefix with a peer that is live.
void begin_audit(Context& ctx, Link& link, const IdPrefix& prefix);

void on_sync_resp(Context& ctx, Link& link, const codec::SyncList& list);
void on_sync_resp(Context& ctx, Link& link, const codec::SyncRanges& ranges);
void on_sync_resp(Context& ctx, Link& link, const codec::SyncChanges& changes);
void on_sync_resp(Context& ctx, Link& link, const codec::SyncHeads& heads);

}  // namespace ebb::mesh
