// Reconcile: how a link begins. Equal roots: done with the greeting. Otherwise each side asks for
// the other's list of heads, wants what it lacks, and says done when all of it is stored.
//
// Model:     Exchange in link.h. It ends in_sync when both sides have said done, interrupted when
//            the link ends before, refused when the HELLO was; each end is one row.
// Threads:   not thread-safe; part of the engine.
// Limits:    lists are paged by limits::kHeadsPerMessage, in order of log id.
// Spec:      docs/wire_format.md section 7
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

// HELLOs were exchanged.
void begin_exchange(Context& ctx, Link& link);
// Own logs may go out: compares roots, then ends the exchange or asks for the list.
void compare_roots(Context& ctx, Link& link);
void on_sync_req(Context& ctx, Link& link, const codec::SyncReq& request);
void on_sync_resp(Context& ctx, Link& link, const codec::SyncResp& response);
// The peer has all that it wanted.
void on_done(Context& ctx, Link& link);

// A log was stored further, or is given up on one link.
void note_stored(Context& ctx, const LogEntry& entry);
void stop_awaiting(Context& ctx, Link& link, const LogId& log);

void refuse_exchange(Context& ctx, Link& link);
void interrupt_exchange(Context& ctx, Link& link);

}  // namespace ebb::mesh
