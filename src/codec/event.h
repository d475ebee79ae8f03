// Event: one immutable record, as a value and as bytes.
//
// Model:   the bytes are what is hashed; EventView points into bytes that somebody else owns.
// Units:   ts in ms since 1970.
// Errors:  decode: kMalformed, kNotCanonical, kTooLarge, kTooDeep, kDuplicateKey, kOutOfRange;
//          kUnsupported for a newer format version (the event is then held and relayed, not folded;
//          every version begins with flags and hlc, and codec/body_reader.h reads those).
// Threads: pure functions; any thread.
// Spec:    docs/wire_format.md section 3
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/hlc.h"
#include "core/ids.h"
#include "core/result.h"

namespace ebb::codec {

inline constexpr std::uint8_t kEventFormat = 1;
inline constexpr std::uint8_t kFlagSuspectTime = 0x10;

struct EventView {
  std::uint8_t flags = kEventFormat;
  Hlc hlc;
  std::optional<std::int64_t> ts_ms;
  std::string_view type;
  std::optional<std::string_view> source;
  std::uint64_t schema = 0;
  ByteView payload;  // canonical msgpack
  std::optional<Uuid> id;

  // The event's own time, or that of its hlc.
  std::int64_t effective_ts_ms() const { return ts_ms ? *ts_ms : hlc.wall().ms; }
  bool suspect_time() const { return (flags & kFlagSuspectTime) != 0; }
};

// Appends the canonical bytes to `out`. Checks bounds and that the payload is canonical; on an
// error nothing is appended. Errors: kTooLarge, kInvalidArgument (flags, empty type or source),
// kMalformed (not UTF-8), and those of validate().
Status encode_event(const EventView& event, Bytes& out);
// The same for a payload that the caller has validated (ValueBuilder's result): the hot path.
Status encode_event_trusted_payload(const EventView& event, Bytes& out);

// Exactly one event in `bytes`.
Result<EventView> decode_event(ByteView bytes);

}  // namespace ebb::codec
