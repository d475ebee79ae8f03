// Sync answers: telling a peer which heads we hold. It keeps nothing of what was told; the peer
// knows what it has asked.
//
// Model:     four questions: the list from a log on, what differs below some prefixes, which logs
//            some cuts mean, and signed heads. To a peer whose cursor of us is current the changes
//            since are sent without a question.
// Threads:   not thread-safe; part of the engine.
// Errors:    a question with more ranges than limits::kRangesAsked, with ranges that are not
//            ascending and apart, or about cuts and signed heads before we have told anything, is a
//            fault; so are more ranges than one exchange of everything may take, but for what time
//            gives back (limits::kRangesAnswered, kRangesPerSecond).
// Limits:    limits::kHeadsPerMessage heads a message; changes beyond limits::kChangesListed are
//            listed for a peer that was mostly offline and refused to others, for whom ranges cost
//            less.
// Spec:      docs/wire_format.md section 7
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

// How questions and answers of this link go: those of its exchange as control, later ones are of an
// audit.
codec::Priority sync_priority(const Link& link);
// Whether the cursor is one of that node's store as it was when it sent this HELLO.
bool is_current(const codec::Cursor& cursor, const codec::Hello& of);
// What changed here since the peer's cursor, which is current.
void send_changes(Context& ctx, Link& link);
// The question that came before own logs could go out.
void answer_waiting(Context& ctx, Link& link);

void on_sync_req(Context& ctx, Link& link, const codec::SyncListReq& request);
void on_sync_req(Context& ctx, Link& link, const codec::SyncRangesReq& request);
void on_sync_req(Context& ctx, Link& link, const codec::SyncCutsReq& request);
void on_sync_req(Context& ctx, Link& link, const codec::SyncHeadsReq& request);
void on_sync_req(Context& ctx, Link& link, const codec::SyncAuditReq& request);

// A set's fingerprint as ranges tell it: zero stands for the empty one.
Fingerprint range_fingerprint(const trust::FingerprintSum& sum);
// Our fingerprints below a prefix, of what both ends take part in.
codec::SyncRange range_of(const Context& ctx, const Link& link, const IdPrefix& prefix);
codec::ChainPrefix chain_prefix(const Hash& chain);

}  // namespace ebb::mesh
