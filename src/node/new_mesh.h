// A mesh of one: its root and first issuer, and what they say at its beginning.
//
// Model:   the root certifies the issuer, the issuer the device that both are made on, with every
//          role but that of the checkpointer; and, where that is wanted, the issuer lets in whoever
//          has the mesh's secret. The issuer's certificate lasts ten years.
// Errors:  those of sign_certificate: a name that cannot be a label.
// Threads: a pure function, but for the random bytes; any thread.
#pragma once

#include "core/result.h"
#include "node/home.h"

namespace ebb::node {

// Everything but the passphrase.
Result<NewHome> new_mesh(const std::string& name, std::optional<trust::Admit> admit, WallTime now);

}  // namespace ebb::node
