// Threads: values.
#pragma once

#include <cstdint>

namespace ebb::node {

struct BeaconCounters {
  std::uint64_t sent = 0;
  std::uint64_t heard = 0;    // of other nodes of the mesh; of each once a minute
  std::uint64_t refused = 0;  // of other meshes, from beyond the networks of this machine, or none
};

}  // namespace ebb::node
