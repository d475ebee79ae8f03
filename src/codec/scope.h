// The bytes of a scope: what a SCOPE message carries, and what its hash is over.
//
// Threads: pure functions; any thread.
// Spec:    docs/wire_format.md section 11
#pragma once

#include "codec/tape.h"
#include "codec/value.h"
#include "core/bytes.h"
#include "core/scope.h"

namespace ebb::codec {

inline constexpr std::size_t kScopeFields = 3;

// kind, topics, devices.
void write_scope(Writer& writer, const Scope& scope);
// Those three; a scope that is not valid, or whose lists are not in order, fails as malformed.
Scope read_scope(TapeReader& reader);
// The array of the three.
Bytes encode_scope(const Scope& scope);

}  // namespace ebb::codec
