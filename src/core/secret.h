// Secret, SecretText: what must not stay in memory behind its use: a key as a rule, a passphrase.
//
// Model:     moved, never copied without a word: copy() says it. What was moved from is zeroed, and
//            so is what goes. (Memory is not locked: a page and a system call for each of thousands
//            of keys; who has to keep them out of a swap file encrypts or omits that.) `Tag` keeps
//            secrets of different meaning apart.
// Ownership: owns its bytes; a view is valid while the Secret is neither moved nor erased.
// Threads:   values; any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/bytes.h"

namespace ebb {

// Zeroes, and no compiler leaves it out.
void erase_bytes(std::uint8_t* bytes, std::size_t size);
// The same, and then it is empty.
inline void erase_bytes(Bytes& bytes) {
  erase_bytes(bytes.data(), bytes.size());
  bytes.clear();
}
// With what was behind its end, as far as it has memory.
void erase_text(std::string& text);
// The memory that a text leaves because it grows is zeroed. `part` is none of it.
void append_secret(std::string& text, std::string_view part);

template <std::size_t N, class Tag = void>
class Secret {
 public:
  static constexpr std::size_t kSize = N;

  Secret() = default;
  ~Secret() { erase(); }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept : data_(other.data_) { other.erase(); }
  Secret& operator=(Secret&& other) noexcept {
    if (this == &other) return *this;
    data_ = other.data_;
    other.erase();
    return *this;
  }

  // nullopt unless `bytes` has exactly N bytes.
  static std::optional<Secret> from(ByteView bytes) {
    if (bytes.size() != N) return std::nullopt;
    Secret secret;
    std::memcpy(secret.data_.data(), bytes.data(), N);
    return secret;
  }

  Secret copy() const {
    Secret same;
    same.data_ = data_;
    return same;
  }
  // In a time that does not tell where they differ.
  bool operator==(const Secret& other) const {
    unsigned differing = 0;
    for (std::size_t i = 0; i < N; ++i)
      differing |= static_cast<unsigned>(data_[i] ^ other.data_[i]);
    return differing == 0;
  }
  std::uint8_t* data() { return data_.data(); }
  const std::uint8_t* data() const { return data_.data(); }
  ByteView view() const { return {data_.data(), N}; }
  void erase() { erase_bytes(data_.data(), N); }

 private:
  std::array<std::uint8_t, N> data_{};
};

struct SecretText {
  std::string text;

  SecretText() = default;
  explicit SecretText(std::string taken) : text(std::move(taken)) {}
  ~SecretText() { erase_text(text); }
  SecretText(const SecretText&) = delete;
  SecretText& operator=(const SecretText&) = delete;
  SecretText(SecretText&& other) noexcept { *this = std::move(other); }
  SecretText& operator=(SecretText&& other) noexcept;

  operator std::string_view() const { return text; }  // NOLINT(*explicit*)
};

}  // namespace ebb
