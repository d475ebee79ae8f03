// IdPrefix: all log ids that begin with the same hexadecimal digits. Ranges of ids are compared by
// prefixes: sixteen children each, in order of id.
//
// Model:   digits behind `depth` are zero in `first`.
// Threads: value; any thread.
// Spec:    docs/wire_format.md section 7
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>

#include "core/check.h"
#include "core/ids.h"

namespace ebb {

// The digit number `index` of an id, from 0.
constexpr std::size_t id_digit(const LogId& log, std::size_t index) {
  const std::uint8_t byte = log.data[index / 2];
  return index % 2 == 0 ? byte >> 4 : byte & 0xf;
}

struct IdPrefix {
  static constexpr std::size_t kDepthMax = 2 * LogId::kSize;
  static constexpr std::size_t kChildren = 16;

  LogId first;
  std::uint8_t depth = 0;  // digits; 0: every id

  IdPrefix child(std::size_t digit) const {
    EBB_CHECK(depth < kDepthMax && digit < kChildren);
    IdPrefix below = *this;
    const auto bits = static_cast<std::uint8_t>(depth % 2 == 0 ? digit << 4 : digit);
    below.first.data[depth / 2] = static_cast<std::uint8_t>(first.data[depth / 2] | bits);
    ++below.depth;
    return below;
  }
  IdPrefix parent() const {
    EBB_CHECK(depth > 0);
    IdPrefix above = *this;
    --above.depth;
    std::uint8_t& byte = above.first.data[above.depth / 2];
    byte = above.depth % 2 == 0 ? 0 : static_cast<std::uint8_t>(byte & 0xf0);
    return above;
  }
  LogId last() const {
    LogId id = first;
    for (std::size_t digit = depth; digit < kDepthMax; ++digit) {
      id.data[digit / 2] =
          static_cast<std::uint8_t>(id.data[digit / 2] | (digit % 2 == 0 ? 0xf0 : 0x0f));
    }
    return id;
  }
  bool covers(const LogId& log) const { return first <= log && log <= last(); }
  auto operator<=>(const IdPrefix&) const = default;
};

}  // namespace ebb
