#include "core/secret.h"

#include <cstring>

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
  erase(text.data(), text.size());
  text.clear();
}

}  // namespace ebb
