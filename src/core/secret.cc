#include "core/secret.h"

#include <string.h>

namespace ebb {

void erase_bytes(std::uint8_t* bytes, std::size_t size) { ::explicit_bzero(bytes, size); }

void erase_text(std::string& text) {
  ::explicit_bzero(text.data(), text.size());
  text.clear();
}

}  // namespace ebb
