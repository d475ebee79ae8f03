#include "core/secret.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace ebb {

namespace {

// A memset of what is read nowhere later may be left out, were it not for the statement behind it,
// which says that it is read.
void erase(void* bytes, std::size_t size) {
  if (size == 0) return;
  std::memset(bytes, 0, size);
  __asm__ __volatile__("" : : "r"(bytes) : "memory");
}

}  // namespace

void erase_bytes(std::uint8_t* bytes, std::size_t size) { erase(bytes, size); }

void erase_text(std::string& text) {
  text.resize(text.capacity());  // moves nothing
  erase(text.data(), text.size());
  text.clear();
}

void append_secret(std::string& text, std::string_view part) {
  const std::size_t bytes = text.size() + part.size();
  if (bytes > text.capacity()) {
    std::string larger;
    larger.reserve(std::max(bytes, 2 * text.capacity()));
    larger.append(text);
    erase_text(text);
    text = std::move(larger);
  }
  text.append(part);
}

// Of a short text the letters lie in the value itself, and are copied when it is moved.
SecretText& SecretText::operator=(SecretText&& other) noexcept {
  if (this == &other) return *this;
  erase_text(text);
  text.swap(other.text);
  erase_text(other.text);
  return *this;
}

}  // namespace ebb
