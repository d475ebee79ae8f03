// What is hashed and signed of a log: its id, its chain, its heads, and ids derived from dots.
//
// Threads: pure functions; any thread.
// Spec:    docs/wire_format.md sections 2, 3 and 4
#pragma once

#include "core/bytes.h"
#include "core/hlc.h"
#include "core/ids.h"

namespace ebb::trust {

Bytes log_key_bytes(const LogKey& key);
LogId log_id(const LogKey& key);
// chain(0) of the log.
Hash chain_start(const LogKey& key);
Hash event_hash(ByteView event_bytes);
// chain(n) from chain(n-1) and hash(n).
Hash chain_next(const Hash& previous, const Hash& event);

struct HeadFields {
  LogId log;
  Seq seq = 0;
  Hlc hlc;
  Hash chain;
};
// The 74 bytes that a device signs.
Bytes head_bytes(const HeadFields& head);

// UUIDv8 of an event that has no id of its own.
Uuid derived_event_id(const Dot& dot);

}  // namespace ebb::trust
