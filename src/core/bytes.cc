#include "core/bytes.h"

#include "core/check.h"
#include "core/secret.h"

namespace ebb {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";

template <class T>
void append_be(Bytes& out, T value) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::uint8_t>((value >> shift) & 0xff));
  }
}

template <class T>
T read_be(ByteView bytes) {
  EBB_CHECK(bytes.size() >= sizeof(T));
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(static_cast<T>(value << 8) | bytes[i]);
  }
  return value;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

int base32_digit(char c) {
  if (c >= 'a' && c <= 'z') return c - 'a';
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= '2' && c <= '7') return c - '2' + 26;
  return -1;
}

}  // namespace

void append_be16(Bytes& out, std::uint16_t value) { append_be(out, value); }
void append_be32(Bytes& out, std::uint32_t value) { append_be(out, value); }
void append_be64(Bytes& out, std::uint64_t value) { append_be(out, value); }
std::uint16_t read_be16(ByteView bytes) { return read_be<std::uint16_t>(bytes); }
std::uint32_t read_be32(ByteView bytes) { return read_be<std::uint32_t>(bytes); }
std::uint64_t read_be64(ByteView bytes) { return read_be<std::uint64_t>(bytes); }

std::string to_hex(ByteView bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (std::uint8_t byte : bytes) {
    text.push_back(kHex[byte >> 4]);
    text.push_back(kHex[byte & 15]);
  }
  return text;
}

std::optional<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return std::nullopt;
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    bytes.push_back(static_cast<std::uint8_t>(high * 16 + low));
  }
  return bytes;
}

std::string to_base32(ByteView bytes) {
  std::string text;
  text.reserve((bytes.size() * 8 + 4) / 5);
  std::uint32_t buffer = 0;
  int bits = 0;
  for (std::uint8_t byte : bytes) {
    buffer = (buffer << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5)
      text.push_back(kBase32[(buffer >> (bits - 5)) & 31]);
    buffer &= 0xff;
  }
  if (bits > 0) text.push_back(kBase32[(buffer << (5 - bits)) & 31]);
  return text;
}

std::optional<Bytes> from_base32(std::string_view text) {
  Bytes bytes;
  // It may be a secret, of which nothing is left behind.
  bytes.reserve(text.size() * 5 / 8);
  const auto nothing = [&bytes] {
    erase_bytes(bytes);
    return std::optional<Bytes>();
  };
  std::uint32_t buffer = 0;
  int bits = 0;
  for (char c : text) {
    if (c == '-') continue;
    const int digit = base32_digit(c);
    if (digit < 0) return nothing();
    buffer = ((buffer << 5) | static_cast<std::uint32_t>(digit)) & 0xfff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push_back(static_cast<std::uint8_t>((buffer >> bits) & 0xff));
    }
  }
  if (bits >= 5 || (buffer & ((1U << bits) - 1)) != 0) return nothing();
  return bytes;
}

}  // namespace ebb
