// Directories of new meshes, for tests of their files.
//
// Threads: any.
#pragma once

#include <fstream>
#include <string>

#include "node/files.h"
#include "node/home.h"

namespace ebb::tests {

inline constexpr WallTime kHomeMade{1700000000000};

inline node::InitOptions options_for(const std::string& dir) {
  node::InitOptions options;
  options.dir = dir;
  options.name = "till-1";
  options.now = kHomeMade;
  return options;
}

inline void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::trunc) << text;
}

inline std::string read_text(const std::string& path) {
  return node::read_file(path, 1 << 20).value();
}

}  // namespace ebb::tests
