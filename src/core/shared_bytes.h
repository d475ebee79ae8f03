// SharedBytes: immutable bytes with many readers.
//
// Why shared here and nowhere else below node/: one received segment is sent on to several links,
// waits for its commit on another thread and is then folded; copying 64 KiB for each would be the
// largest cost of a live push. Immutable, so sharing shares no state.
// Threads: immutable after construction; any thread.
#pragma once

#include <memory>
#include <utility>

#include "core/bytes.h"

namespace ebb {

// style-ok(shared_ptr): see "Why" above.
using SharedBytes = std::shared_ptr<const Bytes>;

// style-ok(shared_ptr): see "Why" above.
inline SharedBytes share(Bytes bytes) { return std::make_shared<const Bytes>(std::move(bytes)); }

}  // namespace ebb
