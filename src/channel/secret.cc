#include "channel/secret.h"

#include <sodium.h>

namespace ebb::channel {

void erase_bytes(std::uint8_t* bytes, std::size_t size) { sodium_memzero(bytes, size); }

}  // namespace ebb::channel
