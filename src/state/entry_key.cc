#include "state/entry_key.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/limits.h"

namespace ebb::state {
namespace {

constexpr std::uint64_t kSignBit = std::uint64_t{1} << 63;

Error corrupt(std::string_view what) { return Error{ErrorCode::kCorrupt, what}; }

void append_kind(Bytes& out, EntryKind kind) { out.push_back(static_cast<std::uint8_t>(kind)); }

// A text that is too long for the key is in no stored key; neither is then what this appends,
// because the greatest length is beyond every limit.
void append_text(Bytes& out, std::string_view text) {
  append_be16(out, static_cast<std::uint16_t>(std::min<std::size_t>(text.size(), UINT16_MAX)));
  append(out, as_bytes(text));
}

void append_object(Bytes& out, EntryKind kind, std::string_view topic, std::string_view name) {
  append_kind(out, kind);
  append_text(out, topic);
  append_text(out, name);
}

// With the sign bit flipped, bytes sort as numbers do.
void append_signed(Bytes& out, std::int64_t value) {
  append_be64(out, static_cast<std::uint64_t>(value) ^ kSignBit);
}

// Takes parts from the front of a key; after a part that is not there, it stays failed.
class KeyReader {
 public:
  KeyReader(EntryKind kind, ByteView key) : rest_(key) {
    const ByteView first = take(1);
    failed_ = failed_ || first[0] != static_cast<std::uint8_t>(kind);
  }

  std::string text(std::size_t bytes_min, std::size_t bytes_max) {
    const ByteView header = take(2);
    const std::size_t size = failed_ ? 0 : read_be16(header);
    failed_ = failed_ || size < bytes_min || size > bytes_max;
    return std::string(as_text(take(size)));
  }
  ObjectId object() {
    ObjectId object{text(1, limits::kTopicBytes), text(1, limits::kObjectNameBytes)};
    failed_ = failed_ || !is_valid_topic(object.topic);
    return object;
  }
  LogId log() { return LogId::from(take(LogId::kSize)).value_or(LogId{}); }
  std::uint64_t number() {
    const ByteView bytes = take(8);
    return failed_ ? 0 : read_be64(bytes);
  }
  std::int64_t signed_number() { return static_cast<std::int64_t>(number() ^ kSignBit); }
  bool ended_well() const { return !failed_ && rest_.empty(); }

 private:
  ByteView take(std::size_t size) {
    failed_ = failed_ || rest_.size() < size;
    if (failed_) return {};
    const ByteView part = rest_.first(size);
    rest_ = rest_.subspan(size);
    return part;
  }

  ByteView rest_;
  bool failed_ = false;
};

}  // namespace

Bytes counter_key(const ObjectId& object, const LogId& log) {
  Bytes key = counter_prefix(object.topic, object.name);
  append(key, log.view());
  return key;
}

Result<CounterKey> parse_counter_key(ByteView key) {
  KeyReader reader(EntryKind::kCounter, key);
  CounterKey parsed;
  parsed.object = reader.object();
  parsed.log = reader.log();
  if (!reader.ended_well()) return corrupt("state: key of a counter");
  return parsed;
}

Bytes counter_value(Int128 total) {
  const auto bits = static_cast<Uint128>(total);
  Bytes value;
  append_be64(value, static_cast<std::uint64_t>(bits >> 64));
  append_be64(value, static_cast<std::uint64_t>(bits));
  return value;
}

Result<Int128> parse_counter_value(ByteView value) {
  if (value.size() != 16) return corrupt("state: value of a counter");
  const Uint128 high = read_be64(value);
  return static_cast<Int128>((high << 64) | read_be64(value.subspan(8)));
}

Bytes dot_key(EntryKind kind, const ElementId& element, const Dot& dot) {
  Bytes key;
  append_object(key, kind, element.object.topic, element.object.name);
  append_text(key, element.element);
  append(key, dot.log.view());
  append_be64(key, dot.seq);
  return key;
}

Result<DotKey> parse_dot_key(EntryKind kind, ByteView key) {
  KeyReader reader(kind, key);
  DotKey parsed;
  parsed.element.object = reader.object();
  parsed.element.element = reader.text(0, limits::kSetElementBytes);
  parsed.dot.log = reader.log();
  parsed.dot.seq = reader.number();
  if (!reader.ended_well() || parsed.dot.seq == 0) return corrupt("state: key of a set");
  return parsed;
}

Bytes polarity_value(bool add) { return Bytes{static_cast<std::uint8_t>(add ? 1 : 0)}; }

Result<bool> parse_polarity(ByteView value) {
  if (value.size() != 1 || value[0] > 1) return corrupt("state: value of a live dot");
  return value[0] == 1;
}

Bytes count_key(std::string_view type, std::int64_t window_start_ms, const LogId& log) {
  Bytes key = count_prefix(type);
  append_signed(key, window_start_ms);
  append(key, log.view());
  return key;
}

Result<CountKey> parse_count_key(ByteView key) {
  KeyReader reader(EntryKind::kCountCell, key);
  CountKey parsed;
  parsed.type = reader.text(1, limits::kTypeBytes);
  parsed.window_start_ms = reader.signed_number();
  parsed.log = reader.log();
  if (!reader.ended_well() ||
      count_window_start(parsed.window_start_ms) != parsed.window_start_ms) {
    return corrupt("state: key of a count cell");
  }
  return parsed;
}

Bytes counts_value(const Counts& counts) {
  Bytes value;
  append_be64(value, counts.count);
  append_be64(value, counts.late);
  return value;
}

Result<Counts> parse_counts(ByteView value) {
  if (value.size() != 16) return corrupt("state: value of a count cell");
  const Counts counts{read_be64(value), read_be64(value.subspan(8))};
  if (counts.count == 0 || counts.late > counts.count) {
    return corrupt("state: numbers of a count cell");
  }
  return counts;
}

// Prefixes are the beginnings of the keys above, so they are written beside them.

Bytes counter_prefix(std::string_view topic, std::string_view name) {
  Bytes prefix;
  append_object(prefix, EntryKind::kCounter, topic, name);
  return prefix;
}

Bytes set_prefix(std::string_view topic, std::string_view name) {
  Bytes prefix;
  append_object(prefix, EntryKind::kLiveDot, topic, name);
  return prefix;
}

Bytes count_prefix(std::string_view type) {
  Bytes prefix = all_counts_prefix();
  append_text(prefix, type);
  return prefix;
}

Bytes all_counts_prefix() {
  Bytes prefix;
  append_kind(prefix, EntryKind::kCountCell);
  return prefix;
}

}  // namespace ebb::state
