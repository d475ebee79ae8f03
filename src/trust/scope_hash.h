// The hash by which two ends of a link see whether they know each other's scope.
//
// Threads: pure functions; any thread.
// Spec:    docs/wire_format.md section 11
#pragma once

#include "core/scope.h"

namespace ebb::trust {

// Zero for a full scope.
ScopeHash scope_hash(const Scope& scope);

}  // namespace ebb::trust
