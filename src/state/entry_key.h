// Stored entries taken apart and put together. Inside the state room only.
//
// Errors:  parsers: kCorrupt for bytes that this room did not write.
// Threads: pure functions; any thread.
// Spec:    docs/store_format.md section 5
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "core/ids.h"
#include "core/result.h"
#include "state/objects.h"

namespace ebb::state {

// A name alone means nothing: objects live in topics.
struct ObjectId {
  std::string topic;
  std::string name;
  auto operator<=>(const ObjectId&) const = default;
};

// What a kill must match beside the dot.
struct ElementId {
  ObjectId object;
  std::string element;
  auto operator<=>(const ElementId&) const = default;
};

// A total outside 128 bits. It takes the place of the one value that has no opposite, so it needs
// no room of its own in the stored form; what is added to it is still it.
inline constexpr Int128 kInt128Max = static_cast<Int128>(~static_cast<Uint128>(0) >> 1);
inline constexpr Int128 kOverflowed = -kInt128Max - 1;

struct CounterKey {
  ObjectId object;
  LogId log;
  auto operator<=>(const CounterKey&) const = default;
};
Bytes counter_key(const ObjectId& object, const LogId& log);
Result<CounterKey> parse_counter_key(ByteView key);
Bytes counter_value(Int128 total);
Result<Int128> parse_counter_value(ByteView value);

// Of kLiveDot and kPend alike.
struct DotKey {
  ElementId element;
  Dot dot;
};
Bytes dot_key(EntryKind kind, const ElementId& element, const Dot& dot);
Result<DotKey> parse_dot_key(EntryKind kind, ByteView key);
Bytes polarity_value(bool add);
Result<bool> parse_polarity(ByteView value);

struct CountKey {
  std::string type;
  std::int64_t window_start_ms = 0;
  LogId log;
};
Bytes count_key(std::string_view type, std::int64_t window_start_ms, const LogId& log);
Result<CountKey> parse_count_key(ByteView key);
struct Counts {
  std::uint64_t count = 0;
  std::uint64_t late = 0;
};
Bytes counts_value(const Counts& counts);
Result<Counts> parse_counts(ByteView value);

}  // namespace ebb::state
