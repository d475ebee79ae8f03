// Outbox: from a message to the wire bytes of its link, when its turn has come.
//
// Model:     what is sent goes through the link's SendQueue. As long as the driver has at most one
//            chunk waiting, the next one is handed to it; so never more than two stand before
//            something urgent. The driver is asked to report whenever that matters. Catch-up,
//            history and bulk wait in addition for their DelayControl.
//            A closing link sends what is left of its control messages, and nothing else.
// Threads:   not thread-safe; part of the engine.
// Spec:      docs/wire_format.md section 7
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

// Bytes that went over the link, either way, are paid for by its class; those of a handshake that
// another has begun when it is done.
void spend(Context& ctx, Link& link, std::size_t bytes);
// Wire bytes that need no sealing (the channel's own).
void send_wire(Context& ctx, Link& link, Bytes wire);
// What the mesh keeps from others: it goes at once, behind all control messages that wait, and no
// copy of it is left in memory.
void send_secret(Context& ctx, Link& link, codec::AuthMesh mesh);
// Of a later version (tuning.h): a message that peers of this one do not know.
void send_later(Context& ctx, Link& link);
// Segments of a log as one DELTA.
void send_delta(Context& ctx, Link& link, codec::Priority priority, QueuedDelta delta);
// Of what a peer may ask for without credit (control, audits) too much waits: it is to be closed.
bool messages_exceed_bound(const Link& link);
// Hands over what may go now.
void pump_output(Context& ctx, Link& link);
// Hands over all control messages, whatever waits: the link is about to be closed.
void flush_control(Context& ctx, Link& link);
// The same for news of one log: whoever floods does not keep out others, of whom nothing waits.
bool has_backlog_of(const Context& ctx, const Link& link, codec::Priority priority,
                    const LogId& log);
// What the link's budget and the hour allow.
bool may_send(const Context& ctx, const Link& link, codec::Priority priority);
// New events of the topic; catch-up that would go with `priority`.
codec::Priority push_priority(const Context& ctx, const std::string& topic);
codec::Priority catch_up_priority(const Context& ctx, const std::string& topic,
                                  codec::Priority priority);
// A ping, which is a mark for the delay too.
void send_ping(Context& ctx, Link& link);
// Nothing more of this priority is to be queued until some of it has left: two seconds of what the
// link takes, within bounds. What waits with other priorities of the link is in nobody's way, but
// all links together have a bound, and when it is near, live segments have a small share each.
bool has_backlog(const Context& ctx, const Link& link, codec::Priority priority);

}  // namespace ebb::mesh
