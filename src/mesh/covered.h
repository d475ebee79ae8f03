// Covered: how cursors move. At the end of an exchange, and while a link is live: each end tells
// the other up to which arrival it knows that the other holds everything, so that the next link
// does not begin with what this one has brought.
//
// Model:     the teller goes by what the receiver itself has told (HAVE, ACK, lists), so the order
//            in which pushes and announcements arrive does not matter. What the receiver has told
//            it may have lost again before it was stored (a push runs ahead of its commit, a commit
//            fails): it takes a cursor over only while nothing is being committed and nothing that
//            the peer announced is missing.
// Threads:   not thread-safe; part of the engine.
// Limits:    cursors of limits::kStoredPeers peers, those that greeted last; at most one telling
//            each Config::cover_interval and link; never on a link on which something was refused
//            or could not be had, or that certificates leave less than everything.
// Spec:      docs/wire_format.md section 7
#pragma once

#include <limits>

#include "mesh/context.h"

namespace ebb::mesh {

// Of a cursor that a peer's store was set back behind.
inline constexpr Arrival kBeyondAll = std::numeric_limits<Arrival>::max();

void load_cursors(Context& ctx);
// The cursor of the link's peer goes to `upto`, if that is further, nothing was left out and
// nothing kept back. `told`: when the peer, at the latest, has said that it is so far.
void move_cursor(Context& ctx, const Link& link, Arrival upto, Instant told, Commit& commit);

// The peer has greeted. By its HELLO it may have fewer arrivals than our cursor names: its store
// was set back and the numbers will name other events, so the cursor means nothing, now or when
// they have grown past it. It goes beyond all arrivals, where nothing moves it: until the peer
// greets in another epoch each HELLO shows it that one is needed, also if it died before it had
// stored that. A cursor that was told while this link was being made is dropped instead: the HELLO
// may be the older one of the two.
void greet_cursor(Context& ctx, const Link& link);

// We hold a head that the peer told first, so it was not announced to it. Control logs are written
// seldom and announced to all: what nothing else tells of them is acknowledged in the end, or the
// peer could never tell us how far we have it all. Other logs go on, and with them what is known.
bool is_unsaid(const LogEntry& entry, const Link& link);
void say_later(Context& ctx, Link& link, const LogEntry& entry);
void say_unsaid(Context& ctx, Link& link);

// Tells the peer, when there is something to tell and it is time.
void tell_covered(Context& ctx, Link& link);
// The peer has told; it is taken over now or when commits are answered.
void take_covered(Context& ctx, Link& link, Arrival covered);
void retry_covered(Context& ctx);

// What was in hand of the log is not stored, and may have been pushed on: whoever has got it that
// way tells of it as covered, and it is nowhere among what the peer is known to have announced once
// its source has taken it back. No telling of such a peer counts on this link again.
void note_lost(Context& ctx, const LogEntry& entry);
// The peer lacks what it was taken to hold: it is not told of as held before it says so again.
void unconfirm(Link& link, const LogEntry& entry);

}  // namespace ebb::mesh
