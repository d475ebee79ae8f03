// Scratch: a directory of its own below the system's, gone with the object.
//
// Errors:  path() of one that could not be made does not exist; made() says so.
// Threads: not thread-safe.
#pragma once

#include <string>

namespace ebb::sim_tool {

class Scratch {
 public:
  Scratch();
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;

  bool made() const { return made_; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
  bool made_ = false;
};

}  // namespace ebb::sim_tool
