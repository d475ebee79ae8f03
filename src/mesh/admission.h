// Admission: who is let in, link by link: the exchange of what authorities have said that comes
// before HELLO, the verdict on who is there, and the certificates that an issuer signs for who
// asks.
//
// Model:     channel -> each end tells what the other lacks of the logs of authorities -> both
//            judge, and tell what the other may do (AUTH grant) -> HELLO where that is enough for a
//            restricted link at least; else BYE 8 once nothing can come of it any more. News are
//            pushed to every link but the one that brought them. Each link is judged anew when
//            records come and each minute. Where digests stay different, logs are compared one by
//            one, more and more seldom.
//            An open mesh (no Config::membership) has none of that: HELLO at once, all is allowed.
// Threads:   not thread-safe; part of the engine.
// Errors:    records and messages that cannot be read are faults; records that this end does not
//            take from who brings them are counted.
// Limits:    limits::kAuth*, kIssuesWaiting, kCertificatesPerSecond.
// Spec:      docs/wire_format.md sections 7 and 13
#pragma once

#include <string_view>

#include "mesh/context.h"

namespace ebb::mesh {

void load_membership(Context& ctx);
// What this end claims in the handshake.
ChannelClaim own_claim(const Context& ctx);

// The channel stands, and Link::peer is set. True: an open mesh, HELLO may go out at once.
bool begin_admission(Context& ctx, Link& link);
void on_auth(Context& ctx, Link& link, const codec::AuthRecords& records);
void on_auth(Context& ctx, Link& link, const codec::AuthAsk& ask);
void on_auth(Context& ctx, Link& link, const codec::AuthRefused& refused);
void on_auth(Context& ctx, Link& link, const codec::AuthMesh& mesh);
void on_auth(Context& ctx, Link& link, const codec::AuthGrant& grant);
void on_auth(Context& ctx, Link& link, const codec::AuthCompare& compare);

// By the records that are held and the certificate that it shows.
trust::Verdict verdict_of(const Context& ctx, Link& link);
// Each end has granted full access to the other; always in an open mesh.
bool is_full_at_both_ends(const Link& link);
// HELLO is due from the peer, or has been.
bool may_greet(const Link& link);
// The time for its greeting is over, and it was not admitted: false when that is not so.
bool turn_away_late(Context& ctx, Link& link);

// Whether what its device writes in this log counts.
bool may_be_stored(const Context& ctx, const LogKey& key, const LogId& log);
// It does not, and the log, of which the head table has the key, will be asked for when that
// changes.
void note_author_refused(Context& ctx, const LogId& log);
// Whether datagrams are exchanged with the device: who has less than a full link has none.
bool may_gossip_with(const Context& ctx, const DeviceId& device);
// By datagram: whether one of two devices may bring the log to the other, and this one may get it.
bool may_bring(const Context& ctx, const DeviceId& from, const DeviceId& to, const LogKey& log);
bool may_get(const Context& ctx, const DeviceId& device, const LogKey& log);

void issue(Context& ctx, const IssueWanted& wanted);
void issue(Context& ctx, const PolicyWanted& wanted);
void change_invites(Context& ctx, InvitesChanged& changed);

// The end of a step: tells news, keeps what is to be kept, judges when that is due.
void end_admission(Context& ctx);
// The answer to a Commit of ours; false: it was none.
bool authority_committed(Context& ctx, const Committed& answer);
std::optional<Instant> next_admission_deadline(const Context& ctx);

}  // namespace ebb::mesh
