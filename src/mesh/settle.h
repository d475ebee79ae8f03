// Settle: a small difference with a gossip partner, made good by datagrams alone: heads, wants,
// segments. Whatever is too large for that is left to a link.
//
// Model:     both sides send the heads that the other's cursor says it lacks (all of them where
//            there are few). What is still missing after the time that live pushes may take is
//            asked for; a log's segments come in order, one datagram each or several together.
//            Every datagram may be lost: the next round finds out. A claim leaves no entry in the
//            table of heads, only verified segments do.
//            Nothing of our own goes to a partner whose view of our logs shows what we lack.
// Threads:   not thread-safe; part of the engine.
// Limits:    limits::kHeadsPerDatagram; kDatagramsPerExchange each way, as many reads as
//            kDatagramReads, and segments only of logs that were asked for; of all partners
//            together as datagrams.h says.
// Spec:      docs/wire_format.md section 8
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

// Sends the heads that it may lack, once an exchange, and not before its view of our own logs is
// judged. Where they are many, the newest; those before them in the exchange's next round.
void send_heads(Context& ctx, Partner& partner);
// Asks for what is still missing of what it showed; false when nothing is.
bool send_wants(Context& ctx, Partner& partner);

void on_heads(Context& ctx, Partner& partner, const codec::HeadsDatagram& heads);
void on_want(Context& ctx, Partner& partner, const codec::WantDatagram& want);
void on_segments(Context& ctx, Partner& partner, const codec::SegmentsDatagram& segments);
// True when the read was for a datagram.
bool datagram_read_done(Context& ctx, const ReadDone& done);

}  // namespace ebb::mesh
