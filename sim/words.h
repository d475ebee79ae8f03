// words_of: bytes as words of 64 bits, for hashes that nobody has to fear.
//
// Model:  the words of the bytes in little-endian order, then one of what is left, with the low
// byte
//         of their number on top, so that bytes of other lengths give other words.
// Errors: none.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "core/bytes.h"

namespace ebb::sim {

template <class Take>
void words_of(ByteView view, Take take) {
  std::size_t at = 0;
  for (; at + 8 <= view.size(); at += 8) {
    std::uint64_t value = 0;
    std::memcpy(&value, view.data() + at, sizeof value);
    if constexpr (std::endian::native == std::endian::big) value = __builtin_bswap64(value);
    take(value);
  }
  std::uint64_t rest = std::uint64_t{view.size()} << 56;
  for (std::size_t i = 0; at + i < view.size(); ++i)
    rest |= std::uint64_t{view[at + i]} << (8 * i);
  take(rest);
}

}  // namespace ebb::sim
