// Want: who is asked for what is missing of a log, when, and what happens when no answer comes.
//
// Model:     a log is asked of one link at a time (LogEntry::asked), always from pending + 1 and
//            open-ended: the peer streams what it has within our credit. Every WANT is answered by
//            exactly one DELTA with `last`; when none is out any more, a log without a useful
//            answer was a false claim, which is taken back; three such rounds end the link.
//            What an exchange shows is not asked for all at once: a link is asked for another log
//            when it has brought one, of a few at first and of more when they come quickly, so
//            that several peers share one catch-up, each as fast as it is, and nothing is fetched
//            twice. What one of them has too much of is shared (share.h).
//            A log known from an announcement waits a little for a push before it is asked for, and
//            goes to the next announcer when the first does not answer in time.
// Threads:   not thread-safe; part of the engine.
// Limits:    limits::kLogsAskedAtOnce logs of an exchange asked of one link.
// Spec:      docs/wire_format.md section 7
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

// The peer of `link` says that it holds the log up to `seq`. Null when the table is full.
LogEntry* note_claim(Context& ctx, Link& link, const LogId& log, Seq seq);
// The link will not be asked for the log again, and nobody waits for it there; others are asked.
void refuse_log(Context& ctx, Link& link, LogEntry& entry);

// The exchange of the link has shown that the peer holds more of the log: it will be asked when it
// has room for another one, unless somebody else is first.
void offer(Context& ctx, Link& link, const LogEntry& entry);
// Some link will be asked for it when it has room.
bool is_offered(const Context& ctx, const LogId& log);
// Asks the best announcer for what is missing, if anything is and nobody is asked already.
void ask_now(Context& ctx, LogEntry& entry);
// The same for what an audit has shown: behind everything else, and only where that may go now.
void ask_for_repair(Context& ctx, LogEntry& entry);
// The same after the time that a push may take.
void ask_after_announcement(Context& ctx, Link& announcer, LogEntry& entry);
// What was asked for has to be asked for once more: its segments were not stored.
void ask_again(Context& ctx, LogEntry& entry);

// Who is asked for the log is asked no more, and this link instead.
void move_question(Context& ctx, LogEntry& entry, Link& link);

// `pending` has moved: ends the question when it is answered.
void note_progress(Context& ctx, LogEntry& entry);
// The peer has sent `last`; `live`: to a WANT for an announcement.
void want_answered(Context& ctx, Link& link, bool live);

// Sends the WANTs that gathered in the step.
void flush_wants(Context& ctx, Link& link);
void run_log_timers(Context& ctx);
// The link has ended: forgets its slot and asks others at once for what it owed or used to push.
void release_wants(Context& ctx, Link& link, bool liar);

}  // namespace ebb::mesh
