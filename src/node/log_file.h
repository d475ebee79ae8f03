// LogFile: keeps the file that a process logs to within a bound. At the bound it becomes `path`.1,
// in the place of an older one, and the descriptors that lead to it lead to a new file from then
// on.
//
// Threads: not thread-safe.
// Limits:  two files of `bytes_max` and one line each. Where the disk does not let the file be
//          renamed or made, it grows on and the next try comes after as many bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ebb::node {

class LogFile {
 public:
  // Nullopt when none of the descriptors leads to the file at `path`: it is somebody else's.
  static std::optional<LogFile> of(const std::string& path, const std::vector<int>& descriptors,
                                   std::uint64_t bytes_max);
  // So many bytes more are in it.
  void wrote(std::uint64_t bytes);

 private:
  LogFile(std::string path, std::vector<int> descriptors, std::uint64_t bytes_max)
      : path_(std::move(path)), descriptors_(std::move(descriptors)), bytes_max_(bytes_max) {}
  void begin_anew() const;

  std::string path_;
  std::vector<int> descriptors_;
  std::uint64_t bytes_max_;
  std::uint64_t bytes_ = 0;
};

}  // namespace ebb::node
