// Stream: a link's connection as the engine sees it, from its first byte to its last: who may begin
// a handshake, the channel, and the frames that come out of it.
//
// Model:     a connection that somebody else has opened is half open until its handshake is done,
//            and the gate says how many of those there are and how fast they come. Where the
//            channel fails before that, no byte goes out. Bytes that are not authentic end the
//            link; what came before them stands, and the next link goes on. An end that the other
//            side has said is told from a cut.
// Threads:   not thread-safe; part of the engine.
// Spec:      docs/wire_format.md sections 7 and 12
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

void on_link_up(Context& ctx, const LinkUp& up);
void on_link_down(Context& ctx, const LinkDown& down);
// `on_frame` is called for each frame that has come whole, until the link is closed.
void on_stream_bytes(Context& ctx, StreamBytes& stream,
                     void (*on_frame)(Context& ctx, Link& link, ByteView frame));
// Closes those whose handshake has taken too long.
void run_half_open(Context& ctx);
// The link's handshake is done, or the link is gone.
void leave_gate(Context& ctx, Link& link);

}  // namespace ebb::mesh
