// BodyReader: walks the events of a decoded segment body, past bad ones. It hashes nothing and
// believes nothing.
//
// Model:   events that are no valid events still have an end, as long as they are msgpack; that is
//          what lets a segment be hashed whose author signed a bad event.
// Errors:  next: kMalformed when the bytes ahead are no whole msgpack value.
// Threads: not thread-safe; a value on the stack of one call.
// Spec:    docs/wire_format.md sections 3 and 5
#pragma once

#include <optional>

#include "codec/event.h"
#include "core/bytes.h"
#include "core/result.h"

namespace ebb::codec {

class BodyReader {
 public:
  struct Next {
    ByteView bytes;
    EventView event;             // of a newer format: flags and hlc only; of a bad one: nothing
    bool newer_format = false;   // held and relayed, not folded; no fault
    std::optional<Error> fault;  // why it is not valid
  };

  explicit BodyReader(ByteView raw) : rest_(raw) {}  // `raw` must outlive what is returned
  bool at_end() const { return rest_.empty(); }
  Result<Next> next();

 private:
  ByteView rest_;
};

}  // namespace ebb::codec
