// Records: what a device writes of itself into the control topic `_ebb`, as payloads of events.
//
// Model:   a record is recognised by the event's type. Unknown keys of its map, and elements behind
//          the ones known, are ignored: later versions add them.
// Errors:  decode: those of codec/tape.h; kMalformed for a payload of another shape, kTooLarge
//          beyond the bounds. A record that cannot be read is an event like any other.
// Limits:  limits::kRecordLogs entries; kPresenceAddresses.
// Threads: pure functions; any thread.
// Spec:    docs/wire_format.md section 10
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"

namespace ebb::codec {

inline constexpr std::string_view kOpeningType = "ebb.opening";
inline constexpr std::string_view kClockFixType = "ebb.clock_fix";
inline constexpr std::string_view kPresenceType = "ebb.presence";

// Why an incarnation began. DO NOT RENAME their texts: they are stored.
enum class OpeningReason : std::uint8_t { kNew, kRestore, kRollback, kClock };
// "new", "restore", "rollback", "clock".
std::string_view opening_reason_name(OpeningReason reason);

// The first event of an incarnation: where the logs of the one before it end.
struct Opening {
  struct Closed {
    std::string topic;
    Position end;
    bool operator==(const Closed&) const = default;
  };
  OpeningReason reason = OpeningReason::kNew;
  std::optional<Incarnation> before;  // nullopt: there was none
  std::vector<Closed> closes;         // in order of topic, none at seq 0

  bool operator==(const Opening&) const = default;
};

// Events that were stamped by a wrong clock: their true time is `offset_ms` later.
struct ClockFix {
  struct Range {
    LogId log;
    Seq from = 0;
    Seq to = 0;  // included
    bool operator==(const Range&) const = default;
  };
  std::int64_t offset_ms = 0;
  std::vector<Range> ranges;  // in order of log, one a log

  bool operator==(const ClockFix&) const = default;
};

// Where a device can be reached. Whether an address is one is for its readers to judge.
struct Presence {
  std::vector<std::string> addresses;  // host:port, the best first
  std::uint64_t budget_class = 0;      // as in HELLO
  std::uint64_t number = 1;            // of the device's presences; the greatest counts

  bool operator==(const Presence&) const = default;
};

// Canonical payloads.
Bytes encode_opening(const Opening& opening);
Bytes encode_clock_fix(const ClockFix& fix);
Bytes encode_presence(const Presence& presence);

Result<Opening> decode_opening(ByteView payload);
Result<ClockFix> decode_clock_fix(ByteView payload);
Result<Presence> decode_presence(ByteView payload);

}  // namespace ebb::codec
