// IssuerDial: a device that needs a certificate, as a rule for its renewal is due, and gets none on
// its links, dials an issuer that it knows of, whatever the number of its links.
//
// Model:     looked at when links are judged, each minute at least. An issuer on a link needs
//            seconds; after 10 min the first dial is drawn from the hour that follows, for devices
//            that were made together are due together; then about one an hour. Whom to dial is
//            drawn from those that are known, and are not linked: one that answers may not certify,
//            and what was told of an address may be wrong, so none goes before another, and where
//            an issuer says itself that it is (presence.h) is one of the places. No sooner than the
//            back-off of the address allows (dialer.h). On the link it is asked as on any other
//            (certify.h).
// Threads:   not thread-safe; part of the engine.
// Spec:      docs/decisions/0031-membership.md
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

// In a mesh with members alone.
void dial_issuer(Context& ctx);
// The peer grants everything. Where it is an issuer, who doubts this device is wrong: for a day
// nobody is dialled for that.
void note_believed(Context& ctx, const Link& link);

}  // namespace ebb::mesh
