#include "state/operation.h"

#include "codec/value.h"
#include "core/limits.h"

namespace ebb::state {
namespace {

// Headers of canonical msgpack that an operation can begin with or hold.
constexpr std::uint8_t kMapOf0 = 0x80;
constexpr std::uint8_t kArrayOf0 = 0x90;
constexpr std::uint8_t kArray16 = 0xdc;
constexpr std::uint8_t kStrOf0 = 0xa0;
constexpr std::uint8_t kStr8 = 0xd9;

bool is_map_of(ByteView payload, std::uint8_t pairs) {
  return !payload.empty() && payload[0] == kMapOf0 + pairs;
}

std::optional<std::string_view> text_at(ByteView payload, std::string_view key,
                                        std::size_t bytes_max) {
  const auto value = codec::map_get(payload, key);
  const auto text = value ? codec::as_str(*value) : std::nullopt;
  return text && text->size() <= bytes_max ? text : std::nullopt;
}

std::optional<std::string_view> name_of(ByteView payload) {
  const auto name = text_at(payload, "name", limits::kObjectNameBytes);
  return name && !name->empty() ? name : std::nullopt;
}

// Reads a canonical array of short texts, front to back.
class TextArray {
 public:
  explicit TextArray(ByteView array) : rest_(array) {}

  std::optional<std::size_t> size() {
    const ByteView first = take(1);
    if (first.empty()) return std::nullopt;
    if ((first[0] & 0xf0) == kArrayOf0) return first[0] & 0x0fU;
    const ByteView wide = first[0] == kArray16 ? take(2) : ByteView{};
    return wide.empty() ? std::nullopt : std::optional<std::size_t>(read_be16(wide));
  }
  // nullopt for any value that is not a text of at most 255 bytes.
  std::optional<std::string_view> next() {
    const ByteView first = take(1);
    if (first.empty()) return std::nullopt;
    std::size_t size = first[0] & 0x1fU;
    if (first[0] == kStr8) {
      const ByteView wide = take(1);
      if (wide.empty()) return std::nullopt;
      size = wide[0];
    } else if ((first[0] & 0xe0) != kStrOf0) {
      return std::nullopt;
    }
    const ByteView text = take(size);
    if (text.size() != size) return std::nullopt;
    return as_text(text);
  }

 private:
  ByteView take(std::size_t size) {
    if (rest_.size() < size) return {};
    const ByteView part = rest_.first(size);
    rest_ = rest_.subspan(size);
    return part;
  }

  ByteView rest_;
};

// One way only of writing a dot; parse_dot alone is as lenient as people need.
std::optional<Dot> exact_dot(std::string_view text) {
  const auto dot = parse_dot(text);
  return dot && dot_text(*dot) == text ? dot : std::nullopt;
}

std::optional<std::vector<Dot>> kills_of(ByteView payload) {
  const auto value = codec::map_get(payload, "kills");
  if (!value) return std::nullopt;
  TextArray texts(*value);
  const auto size = texts.size();
  if (!size || *size > limits::kKillsPerOperation) return std::nullopt;
  std::vector<Dot> kills;
  kills.reserve(*size);
  for (std::size_t i = 0; i < *size; ++i) {
    const auto text = texts.next();
    const auto dot = text ? exact_dot(*text) : std::nullopt;
    if (!dot) return std::nullopt;
    kills.push_back(*dot);
  }
  return kills;
}

}  // namespace

std::optional<CounterAdd> read_counter_add(ByteView payload) {
  if (!is_map_of(payload, 2)) return std::nullopt;
  const auto amount = codec::map_get(payload, "amount");
  const auto number = amount ? codec::as_int(*amount) : std::nullopt;
  const auto name = name_of(payload);
  if (!number || !name) return std::nullopt;
  return CounterAdd{*name, *number};
}

std::optional<SetChange> read_set_change(ByteView payload) {
  if (!is_map_of(payload, 3)) return std::nullopt;
  const auto element = text_at(payload, "element", limits::kSetElementBytes);
  const auto name = name_of(payload);
  auto kills = kills_of(payload);
  if (!element || !name || !kills) return std::nullopt;
  return SetChange{*name, *element, std::move(*kills)};
}

}  // namespace ebb::state
