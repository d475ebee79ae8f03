#include "sim/tool/scratch.h"

#include <stdlib.h>

#include <filesystem>
#include <system_error>

namespace ebb::sim_tool {

Scratch::Scratch() : path_((std::filesystem::temp_directory_path() / "ebb-sim-XXXXXX").string()) {
  made_ = mkdtemp(path_.data()) != nullptr;
}

Scratch::~Scratch() {
  std::error_code ignored;  // a temporary directory that stays harms nobody
  if (made_) std::filesystem::remove_all(path_, ignored);
}

}  // namespace ebb::sim_tool
