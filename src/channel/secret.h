// The keys of a channel: 32 bytes that are erased with it (core/secret.h).
#pragma once

#include "core/secret.h"

namespace ebb::channel {

using ebb::erase_bytes;
using ebb::Secret;
using Key = Secret<32>;

}  // namespace ebb::channel
