// Our store's epoch: when peers show that its arrival numbers were given before, and what happens
// when it is another one.
//
// Model:     a peer's cursor of our epoch beyond our arrival head was told by this store, of which
// a
//            part was then lost (a copy of it came back, a disk that had not written). Once as much
//            has come in again, cursors of that epoch would seem to be current everywhere; so the
//            store takes another epoch. No own event need be lost, and no incarnation begins.
//            Rationale: a store is not set back while it is open. Only the epoch of the start is
//            doubted, and once; the cursor of a liar costs no more, whoever shows it, and how
//            often.
// Threads:   not thread-safe; part of the engine.
// Spec:      docs/wire_format.md section 7
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

// The HELLO of the link has come.
void judge_told_cursor(Context& ctx, const Link& link);
// The store holds another epoch: what was told of the one before is void, links greet anew. Nothing
// when it is the same.
void take_epoch(Context& ctx, StoreEpoch epoch);
// Cursors of our epoch mean something.
inline bool epoch_counts(const Context& ctx) { return !ctx.own_blocked && !ctx.epoch_is_void; }

}  // namespace ebb::mesh
