// What is told of the logs of authorities: what a peer lacks, news, and what a comparison shows.
//
// Model:     a peer lacks what lies behind its heads; whose end is another one is told its log from
//            the start. News are told one by one, whatever their log holds behind them. What
//            heads do not show (forks, ways to ends, what is missing) differs in the digest, and is
//            told log by log when one of the two asks.
// Threads:   not thread-safe; part of the engine.
//            What is told waits at a position of each log, and news at a place in their list, until
//            the control queue of the link has room, so that it is never in memory twice.
// Limits:    limits::kAuthBytesQueued of a link. Logs are told again for a comparison no sooner
// than
//            half of kAuthCompareMs later, and to a device at kAuthComparedPerSecond on average.
// Spec:      docs/wire_format.md section 7
#pragma once

#include <vector>

#include "mesh/context.h"

namespace ebb::mesh {

// Ends with a message that says so, also where there is nothing to tell.
void tell_lacking(Context& ctx, Link& link, trust::Telling telling);
// Everything, to who joins, then the mesh; and the link ends when nothing of it waits any more.
void let_in(Context& ctx, Link& link);
// What the clock here shows, on links that stand, so that the peer has it of the last day; with it
// goes the digest.
void tell_clock(Context& ctx, Link& link);
// What waits for room in the queue.
void go_on_telling(Context& ctx, Link& link);
void tell_news(Context& ctx);
// Records go to and fro, or bytes to who joins: its greeting may take longer.
void give_time(Context& ctx, Link& link);
// The peer holds what has this digest.
void note_digest(Context& ctx, Link& link, const codec::AuthorityDigest& digest);
// Asks for a comparison if one is due.
void run_compare(Context& ctx, Link& link);
// Of peers whose certificate is not over by the floor of time, one of each.
std::vector<HeardClock> heard_clocks(Context& ctx);
// What a peer's clock shows; 0: it doubts it.
void note_clock(Context& ctx, const DeviceId& device, WallTime wall);

}  // namespace ebb::mesh
