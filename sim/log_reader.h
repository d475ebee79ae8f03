// Reads a store's logs event by event, believing nothing: the chain is computed again and must lead
// to the head that the store names.
//
// Errors:  kCorrupt with what is wrong, beside those of the store and of codec/segment.h.
// Threads: pure functions over the store given; call where the store may be called.
#pragma once

#include <functional>

#include "codec/event.h"
#include "core/ids.h"
#include "core/result.h"
#include "sim/storage.h"

namespace ebb::sim {

// Views are valid during the call.
struct LoggedEvent {
  Dot dot;
  const LogKey& key;
  ByteView bytes;
  const codec::EventView& event;
  Hash chain;  // computed, up to this event
};
using VisitEvent = std::function<void(const LoggedEvent&)>;

// Every event of one log that is held, in order of seq.
Status read_log(const Storage& store, const store::HeadRecord& head, const VisitEvent& visit);

}  // namespace ebb::sim
