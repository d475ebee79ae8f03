// Learnt: what becomes of one head that the peer has told, in whichever way.
//
// Model:     what we lack is wanted and awaited; in an audit it is noted for later. What is as long
//            as ours with another chain is disputed until a signed head shows it. What will not be
//            stored is remembered as left out.
// Threads:   not thread-safe; part of the engine.
// Spec:      docs/wire_format.md section 7
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

void take_listed(Context& ctx, Link& link, const codec::ListedHead& head);
// A cut that names no log here, or several, is kept to be asked about.
void take_cut(Context& ctx, Link& link, const codec::CutHead& head);
// By a signed head the peer has shown more of a log of ours than we hold: what we wrote ourselves
// no cursor speaks of, since a store that was set back may have cursors of a later time. Null:
// there is no room for the log.
void take_own(Context& ctx, Link& link, LogEntry* entry, Seq seq);
// The peer has shown a signed head of a disputed log.
void judge_disputed(Context& ctx, Link& link, const LogId& log, const Position& theirs);

}  // namespace ebb::mesh
