// NetNamespace: a network namespace of its own with one TUN device in it, up
// and with an address. It has no name and no process: it lives as long as
// somebody holds or runs in it, so that nothing is left when the process that
// made it ends in whatever way.
//
// Threads: not thread-safe; make() changes the namespace of the calling thread
// and changes it back. Errors:  kPermission when this process may not,
// kNotFound without TUN devices, else kIo. The
//          detail names the call.
#pragma once

#include <array>
#include <cstdint>

#include "core/result.h"
#include "core/unique_fd.h"

namespace ebb::tests {

struct NetNamespace {
  UniqueFd handle;  // of the namespace: for setns
  UniqueFd tun;     // non-blocking; one packet a read or write

  // The address has a network of 16 bits.
  static Result<NetNamespace> make(std::array<std::uint8_t, 4> address);
};

}  // namespace ebb::tests
