// IssuerDial: a device that needs a certificate, as a rule for its renewal is due, and that no link
// joins with an issuer, dials one that it knows of, whatever the number of its links.
//
// Model:     looked at when links are judged, each minute at least. After 10 min without such a
//            link the next dial is drawn from the hour that follows, for devices that were made
//            together are due together; then about one an hour. Whom to dial: an issuer at an
//            address that answered last; else one where it says that it is (presence.h), or again
//            where it was. No sooner than the back-off of the address allows (dialer.h). On the
//            link it is asked as on any other (certify.h). A link with an issuer that has refused
//            is none, as another may do it.
// Threads:   not thread-safe; part of the engine.
// Spec:      docs/decisions/0031-membership.md
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

// In a mesh with members alone.
void dial_issuer(Context& ctx);

}  // namespace ebb::mesh
