// AUTH: the message of several kinds by which links exchange what authorities have said. Inside the
// codec only.
//
// Errors:  stick in the reader; kUnsupported for a kind that this version does not know.
// Threads: pure functions; any thread.
// Spec:    docs/wire_format.md section 7
#pragma once

#include <cstddef>

#include "codec/message.h"
#include "codec/tape.h"

namespace ebb::codec {

// `fields`: those behind the type, with the kind.
Message read_auth(TapeReader& reader, std::size_t fields);

}  // namespace ebb::codec
