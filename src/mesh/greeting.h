// Greeting: from the open connection to the moment when own logs may go out.
//
// Model:     channel -> admission (admission.h) -> HELLO both ways -> YOUR_LOGS both ways. A peer
// of another mesh or wire
//            version is refused with a word; of two links to one device one stays. The peer's view
//            of our own logs is compared with ours; where it differs its signed heads are asked
//            for, and one that we do not hold is a rollback (own_heads.h).
// Threads:   not thread-safe; part of the engine.
// Spec:      docs/wire_format.md section 7
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

// The channel has been established: who is there, and what comes before HELLO.
void on_established(Context& ctx, Link& link);
// HELLO, once the peer may be greeted.
void send_hello(Context& ctx, Link& link);
void on_hello(Context& ctx, Link& link, const codec::Hello& hello);
void on_your_logs(Context& ctx, Link& link, const codec::YourLogsSummary& summary);
void on_your_logs(Context& ctx, Link& link, const codec::YourLogsAsk& ask);
void on_your_logs(Context& ctx, Link& link, const codec::YourLogsHeads& heads);
// Own logs may go out when all that the peer has shown of them was found here too.
void settle_when_judged(Context& ctx, Link& link);
void on_bye(Context& ctx, Link& link, const codec::Bye& bye);

}  // namespace ebb::mesh
