// Certify: who asks for a certificate, and who signs it.
//
// Model:     a device that has none, whose own is due for renewal, has ended, or is for another
//            link key asks a peer that may have an issuer's key, one at a time. That renews what
//            counts, with the same roles, prefixes and label; a device that is new is let in by
//            the mesh's secret where the policy says so, or by an invite. What was signed is
//            durable before anybody hears of it (membership.h).
//            Whether it is signed, and what, is judged when its turn has come.
// Threads:   not thread-safe; part of the engine.
// Limits:    a peer is asked once in limits::kAuthAskMs; limits::kIssuesWaiting, half of them for
//            peers; kCertificatesPerSecond, kCertificatesPerDeviceDay.
// Spec:      docs/wire_format.md sections 7 and 13
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

// The peer, a full member here, grants no more than who has an expired certificate gets: it may
// know better.
bool is_doubted(const Context& ctx, const Link& link);
// That, or this device needs a certificate.
bool lacks_certificate(const Context& ctx, const Link& link);
// If one is needed, and this peer may be asked now.
void ask_for_certificate(Context& ctx, Link& link);
// When a peer that has said "later" is to be asked again.
std::optional<Instant> ask_later_at(const Context& ctx);
// The issuer on this device renews its own.
void certify_self(Context& ctx);
void sign_wishes(Context& ctx);
// What keeps this issuer from signing anything now.
Status may_sign(const Context& ctx);

}  // namespace ebb::mesh
