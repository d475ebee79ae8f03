#include "state/objects.h"

#include <algorithm>
#include <utility>

#include "codec/value.h"
#include "core/limits.h"
#include "state/entry_key.h"

namespace ebb::state {
namespace {

Status check_name(std::string_view name) {
  if (name.empty()) return Error{ErrorCode::kInvalidArgument, "object name: empty"};
  if (name.size() > limits::kObjectNameBytes) return Error{ErrorCode::kTooLarge, "object name"};
  return {};
}

}  // namespace

std::int64_t count_window_start(std::int64_t ts_ms) {
  // Floor, not truncation: a window before 1970 is as long as any other.
  const std::int64_t into = (ts_ms % kCountWindowMs + kCountWindowMs) % kCountWindowMs;
  return ts_ms < INT64_MIN + into ? INT64_MIN : ts_ms - into;
}

std::string int128_text(Int128 value) {
  auto rest = static_cast<Uint128>(value);
  if (value < 0) rest = 0 - rest;
  std::string text;
  do {
    text.push_back(static_cast<char>('0' + static_cast<int>(rest % 10)));
    rest /= 10;
  } while (rest != 0);
  if (value < 0) text.push_back('-');
  std::reverse(text.begin(), text.end());
  return text;
}

Result<Bytes> counter_add_payload(std::string_view name, std::int64_t amount) {
  EBB_RETURN_IF_ERROR(check_name(name));
  codec::ValueBuilder builder(limits::kPayloadBytes, limits::kDepth);
  builder.begin_map();
  builder.key("amount");
  builder.integer(amount);
  builder.key("name");
  builder.str(name);
  builder.end_map();
  return builder.finish();
}

Result<Bytes> set_payload(std::string_view name, std::string_view element,
                          const std::vector<Dot>& kills) {
  EBB_RETURN_IF_ERROR(check_name(name));
  if (element.size() > limits::kSetElementBytes) return Error{ErrorCode::kTooLarge, "set element"};
  if (kills.size() > limits::kKillsPerOperation) return Error{ErrorCode::kTooLarge, "kills"};
  codec::ValueBuilder builder(limits::kPayloadBytes, limits::kDepth);
  builder.begin_map();
  builder.key("element");
  builder.str(element);
  builder.key("kills");
  builder.begin_array();
  for (const Dot& dot : kills)
    builder.str(dot_text(dot));
  builder.end_array();
  builder.key("name");
  builder.str(name);
  builder.end_map();
  return builder.finish();
}

Result<CounterTotal> read_counter(const KeyValue& entry) {
  EBB_ASSIGN(const CounterKey key, parse_counter_key(entry.key));
  EBB_ASSIGN(const Int128 total, parse_counter_value(entry.value));
  if (total == kOverflowed) {
    return Error{ErrorCode::kOutOfRange, "counter: total of a log beyond 128 bits"};
  }
  return CounterTotal{key.log, total};
}

Result<Int128> counter_sum(const std::vector<CounterTotal>& totals) {
  // Halves apart: neither sum can leave 128 bits, so no order of adding makes a difference.
  Int128 low = 0;
  Int128 high = 0;
  for (const CounterTotal& each : totals) {
    low += static_cast<std::uint64_t>(each.total);
    high += each.total >> 64;
  }
  high += low >> 64;
  if (high > INT64_MAX || high < INT64_MIN) {
    return Error{ErrorCode::kOutOfRange, "counter: sum beyond 128 bits"};
  }
  return high * (static_cast<Int128>(1) << 64) + static_cast<std::uint64_t>(low);
}

Result<SetDot> read_set_dot(const KeyValue& entry) {
  EBB_ASSIGN(DotKey key, parse_dot_key(EntryKind::kLiveDot, entry.key));
  EBB_ASSIGN(const bool add, parse_polarity(entry.value));
  return SetDot{std::move(key.element.element), key.dot, add};
}

std::vector<std::string> add_wins(const std::vector<SetDot>& live) {
  std::vector<std::string> elements;
  for (const SetDot& dot : live) {
    if (dot.add) elements.push_back(dot.element);
  }
  std::sort(elements.begin(), elements.end());
  elements.erase(std::unique(elements.begin(), elements.end()), elements.end());
  return elements;
}

Result<CountCell> read_count_cell(const KeyValue& entry) {
  EBB_ASSIGN(CountKey key, parse_count_key(entry.key));
  EBB_ASSIGN(const Counts counts, parse_counts(entry.value));
  return CountCell{std::move(key.type), key.window_start_ms, key.log, counts.count, counts.late};
}

}  // namespace ebb::state
