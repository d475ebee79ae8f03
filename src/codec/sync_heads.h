// Lists of heads and of ranges as SYNC messages pack them: many small entries in one binary value.
// Inside the codec only.
//
// Model:   entry after entry without a header; a seq is LEB128 in its shortest form.
// Errors:  kMalformed (an entry that is cut off, a longer form than needed, digits behind the depth
//          of a prefix, a seq beyond 64 bits), kTooLarge (more entries than `limits` allow).
// Limits:  limits::kHeadsPerMessage; memory in proportion to the bytes.
// Threads: pure functions; any thread.
// Spec:    docs/wire_format.md section 7
#pragma once

#include <vector>

#include "codec/message.h"
#include "core/bytes.h"
#include "core/result.h"

namespace ebb::codec {

Bytes pack_heads(const std::vector<ListedHead>& heads);
Result<std::vector<ListedHead>> unpack_heads(ByteView packed);

Bytes pack_cut_heads(const std::vector<CutHead>& heads);
Result<std::vector<CutHead>> unpack_cut_heads(ByteView packed);

Bytes pack_cuts(const std::vector<LogCut>& cuts);
Result<std::vector<LogCut>> unpack_cuts(ByteView packed);

Bytes pack_prefix(const IdPrefix& prefix);
Result<IdPrefix> unpack_prefix(ByteView packed);

// A bit for each child that is not empty, and the fingerprints of those.
Bytes pack_children(const SyncRange& range);
Status unpack_children(ByteView packed, SyncRange& range);

}  // namespace ebb::codec
