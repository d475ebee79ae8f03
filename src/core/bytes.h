// Byte strings, views of them, fixed-size byte values and their text forms (hex and base32).
//
// Units:   sizes in bytes; integers on the wire are big-endian.
// Threads: values; any thread.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ebb {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

inline ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes to_bytes(ByteView view) { return Bytes(view.begin(), view.end()); }
inline void append(Bytes& out, ByteView tail) { out.insert(out.end(), tail.begin(), tail.end()); }
inline bool equal(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

// Order of byte strings for containers, bytewise, shorter first among equal beginnings.
struct BytesLess {
  using is_transparent = void;
  bool operator()(ByteView a, ByteView b) const {
    const std::size_t common = a.size() < b.size() ? a.size() : b.size();
    const int order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
    return order != 0 ? order < 0 : a.size() < b.size();
  }
};

void append_be16(Bytes& out, std::uint16_t value);
void append_be32(Bytes& out, std::uint32_t value);
void append_be64(Bytes& out, std::uint64_t value);
// The first 2, 4 or 8 bytes of `bytes`, which must be long enough (checked).
std::uint16_t read_be16(ByteView bytes);
std::uint32_t read_be32(ByteView bytes);
std::uint64_t read_be64(ByteView bytes);

std::string to_hex(ByteView bytes);
std::optional<Bytes> from_hex(std::string_view text);

// RFC 4648 base32 in lower case without padding.
std::string to_base32(ByteView bytes);
// Accepts upper and lower case, ignores '-' between groups; nullopt on any other character or on
// non-zero trailing bits.
std::optional<Bytes> from_base32(std::string_view text);

// A byte string of exactly N bytes; `Tag` keeps values of different meaning apart.
template <std::size_t N, class Tag>
struct FixedBytes {
  static constexpr std::size_t kSize = N;
  std::array<std::uint8_t, N> data{};

  bool operator==(const FixedBytes& other) const {
    return std::memcmp(data.data(), other.data.data(), N) == 0;
  }
  // Bytewise, by words as far as they go: maps compare keys more often than anything else happens,
  // and a call of memcmp costs more than the comparison.
  std::strong_ordering operator<=>(const FixedBytes& other) const {
    std::size_t at = 0;
    for (; at + sizeof(std::uint64_t) <= N; at += sizeof(std::uint64_t)) {
      const std::uint64_t a = word(at);
      const std::uint64_t b = other.word(at);
      if (a != b) return a <=> b;
    }
    for (; at < N; ++at) {
      if (data[at] != other.data[at]) return data[at] <=> other.data[at];
    }
    return std::strong_ordering::equal;
  }
  ByteView view() const { return {data.data(), N}; }
  bool is_zero() const { return *this == FixedBytes{}; }
  // nullopt unless `bytes` has exactly N bytes.
  static std::optional<FixedBytes> from(ByteView bytes) {
    if (bytes.size() != N) return std::nullopt;
    FixedBytes value;
    std::memcpy(value.data.data(), bytes.data(), N);
    return value;
  }

 private:
  // Eight bytes as the number that orders as they do.
  std::uint64_t word(std::size_t at) const {
    std::uint64_t value = 0;
    std::memcpy(&value, data.data() + at, sizeof value);
    if constexpr (std::endian::native == std::endian::little) value = __builtin_bswap64(value);
    return value;
  }
};

}  // namespace ebb

// The leading bytes serve as hash: use unordered containers only where keys are hashes or keys made
// by trusted code, and where the order of iteration influences nothing.
template <std::size_t N, class Tag>
struct std::hash<ebb::FixedBytes<N, Tag>> {
  std::size_t operator()(const ebb::FixedBytes<N, Tag>& value) const noexcept {
    static_assert(N >= sizeof(std::size_t));
    std::size_t h = 0;
    std::memcpy(&h, value.data.data(), sizeof h);
    return h;
  }
};
