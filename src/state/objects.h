// Objects as stored entries: keys, values and how to read them, for the fold that writes them and
// for readers that see only the stored entries.
//
// Model:   keys sort so that all entries of one object are neighbours: prefix(kind, topic, name).
// Errors:  decoders answer kCorrupt for bytes that this room did not write; kOutOfRange for a
//          counter whose total has left 128 bits: it is then known to be wrong, and never wraps.
// Limits:  names limits::kObjectNameBytes, elements limits::kSetElementBytes, kills
//          limits::kKillsPerOperation; an operation beyond one counts as an event and no more.
// Threads: pure functions; any thread.
// Spec:    docs/store_format.md section 5
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"

namespace ebb::state {

// Types of the operations, in the reserved type space.
inline constexpr std::string_view kCounterAddType = "ebb.counter.add";
inline constexpr std::string_view kSetAddType = "ebb.set.add";
inline constexpr std::string_view kSetRemoveType = "ebb.set.remove";

// The built-in view counts events by type in windows of this length, in their effective ts.
inline constexpr std::int64_t kCountWindowMs = 60000;
// An event is late when its effective ts is more than this behind its hlc.
inline constexpr std::int64_t kCountLatenessMs = 600000;
// Start of the window of a time, also before 1970. The first window of all begins at INT64_MIN,
// because its start by rule is beyond int64.
std::int64_t count_window_start(std::int64_t ts_ms);

// DO NOT CHANGE: first byte of a stored key.
enum class EntryKind : std::uint8_t {
  kCounter = 0x10,   // (topic, name, log) -> total
  kLiveDot = 0x20,   // (topic, name, element, dot) -> polarity
  kPend = 0x21,      // (topic, name, element, dot) -> nothing
  kCountCell = 0x40  // (type, window start, log) -> counts
};

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 Uint128;
// Decimal digits, with '-' when negative.
std::string int128_text(Int128 value);

// Payloads of operations, canonical msgpack. kTooLarge, kInvalidArgument (empty name), kMalformed
// (not UTF-8).
Result<Bytes> counter_add_payload(std::string_view name, std::int64_t amount);
Result<Bytes> set_payload(std::string_view name, std::string_view element,
                          const std::vector<Dot>& kills);

struct KeyValue {
  ByteView key;
  ByteView value;
};

// All stored keys of an object begin with its prefix; prefixes of different objects never overlap.
// A text longer than any that is stored gives a prefix that no key has.
Bytes counter_prefix(std::string_view topic, std::string_view name);
Bytes set_prefix(std::string_view topic, std::string_view name);  // live dots
Bytes count_prefix(std::string_view type);
Bytes all_counts_prefix();

struct CounterTotal {
  LogId log;
  Int128 total = 0;
};
Result<CounterTotal> read_counter(const KeyValue& entry);
// The exact sum over logs, whatever their order. kOutOfRange when it does not fit.
Result<Int128> counter_sum(const std::vector<CounterTotal>& totals);

struct SetDot {
  std::string element;
  Dot dot;
  bool add = true;
};
Result<SetDot> read_set_dot(const KeyValue& entry);
// Add-wins: the elements with at least one live add, in bytewise order.
std::vector<std::string> add_wins(const std::vector<SetDot>& live);

struct CountCell {
  std::string type;
  std::int64_t window_start_ms = 0;
  LogId log;
  std::uint64_t count = 0;
  std::uint64_t late = 0;  // of these, how many came with a ts far behind their hlc
};
Result<CountCell> read_count_cell(const KeyValue& entry);

}  // namespace ebb::state
