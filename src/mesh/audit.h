// Audit: now and then a random sixteenth of all heads is compared with one neighbour, so that what
// a fault of this program or of a peer has kept from us is found without anybody reconnecting.
//
// Model:     one audit at a time and link, of links that are live. What the peer has and we lack is
//            judged some time later: what has come meanwhile, or is being fetched, was under way;
//            the rest is wanted, and counts as audit_repairs.
// Threads:   not thread-safe; part of the engine.
// Limits:    one link each Config::audit_interval, jittered; about 40 B when nothing differs.
// Spec:      docs/wire_format.md section 7
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

void plan_audits(Context& ctx);
// Begins the audit that is due, and judges those that have ended.
void run_audits(Context& ctx);
// Of the link's audit: to judge it, or to give its answer up.
std::optional<Instant> audit_deadline(const Context& ctx, const Link& link);
// A question of an audit has gone out, or an answer has come: the next one has so much time.
void wait_for_audit(Context& ctx, Link& link);
// The last answer of an audit has come.
void end_audit(Context& ctx, Link& link);

}  // namespace ebb::mesh
