// Share: several links at work on one catch-up. Who has nothing to do takes logs over from a link
// that is less than half as fast, and long logs are cut into parts (parts.h).
//
// Model:     each link is asked for as many logs at once as it has room for (fetch_rate.h), so the
//            faster one has more of those that nobody is asked for yet. When none is left, what is
//            asked of others is looked through, each time that something has come and five times
//            a second: a log that takes its link a second or more is shared, and of others a
//            share by speed is taken from a link that is less than half as fast.
//            A link that is asked no more for a log is told by a WANT for nothing of it, so only
//            what was on its way comes twice.
// Threads:   not thread-safe; part of the engine.
// Limits:    limits::kLogsAskedAtOnce; 16 shared logs.
// Spec:      docs/wire_format.md section 7
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

// Times slower than another link: it would only be waited for.
inline constexpr std::uint64_t kTooSlow = 16;

// Nothing waits to be asked of the link, and it may be asked for more.
bool has_room(const Context& ctx, const Link& link);
// Less than half as fast; or silent, where nothing is known of the other.
bool is_slow_beside(const Context& ctx, const Link& slow, const Link& link);
// That a question of the link is old.
Duration before_take_over(const Link& link);

// Where the first question for a long log ends, which others may have as well: what comes of it
// shows how it is to be shared. 0: it is for all of it.
Seq trial_end(const Context& ctx, const LogEntry& entry);

// All of the log was asked for of one link: if it is worth it, others with room get parts of it.
void share_log(Context& ctx, LogEntry& entry);
// The link has room: gives it parts of logs that others are asked for, or whole logs of theirs.
void share_work(Context& ctx, Link& link);
// Does so for every link that has room, now and then while catch-ups are asked for.
void run_sharing(Context& ctx);
// A catch-up was asked for.
void plan_sharing(Context& ctx);

}  // namespace ebb::mesh
