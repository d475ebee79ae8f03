// Own positions as peers hold them, against the store: whether the log that we are writing is the
// one that we once wrote.
//
// Model:     a position at or beyond our head is judged at once; for one below it the store is
//            asked for the event there, one position a link at a time; of several that wait for
//            one log the furthest counts. Another chain, or an event that the store has lost, is a
//            rollback: a new incarnation is never wrong. So is an incarnation of which nothing is
//            stored. A read that fails for another reason ends the link, and a later one asks
//            again.
// Threads:   not thread-safe; part of the engine.
// Limits:    one position a log that is written here and link waits, and one is being read. In a
//            greeting a read gives it more time once for each such log.
// Spec:      docs/wire_format.md section 7
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

// The chain behind event `seq` of the log, which was read; nullopt when this is not it.
std::optional<Hash> chain_at(const Context& ctx, const LogEntry& entry, Seq seq,
                             const ReadDone& done);
// Whether it is none that this store has anything of, or has been told of.
bool is_unknown_incarnation(Context& ctx, Incarnation shown);
// The peer has shown, signed by us, that the log stood there. Of an incarnation that began and
// ended behind this store's back, which was then set back to before it: a rollback as well, once
// a start.
void judge_own_incarnation(Context& ctx, Link& link, const LogKey& key, Seq seq);
// The same of a log that we are writing.
void judge_own_position(Context& ctx, Link& link, const LogEntry& entry, const Position& shown);
// Nothing is left to be compared.
inline bool own_positions_judged(const Link& link) {
  return link.own_shown.empty() && !link.own_read;
}
// False when the read was not one of these.
bool on_own_read_done(Context& ctx, const ReadDone& done);

}  // namespace ebb::mesh
