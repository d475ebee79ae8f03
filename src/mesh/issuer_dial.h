// IssuerDial: a device that needs a certificate, as a rule for its renewal is due, and that no link
// joins with an issuer, dials one that it knows of, whatever the number of its links.
//
// Model:     looked at when links are judged, each minute at least. After 10 min without such a
//            link the next dial is drawn from the hour that follows, for devices that were made
//            together are due together; then about one an hour. Whom to dial: an issuer at an
//            address that answered last, else where one says that it is (presence.h), else any; no
//            sooner than the back-off of the address allows (dialer.h). On the link it is asked as
//            on any other (certify.h).
// Threads:   not thread-safe; part of the engine.
// Spec:      docs/decisions/0031-membership.md
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

void dial_issuer(Context& ctx);

}  // namespace ebb::mesh
