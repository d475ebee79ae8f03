#include "node/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "core/unique_fd.h"

namespace ebb::node {

std::optional<LogFile> LogFile::of(const std::string& path, const std::vector<int>& descriptors,
                                   std::uint64_t bytes_max) {
  struct stat file {};
  if (::stat(path.c_str(), &file) != 0) return std::nullopt;
  std::vector<int> leading;
  for (const int descriptor : descriptors) {
    struct stat open {};
    if (::fstat(descriptor, &open) != 0) continue;
    if (open.st_dev == file.st_dev && open.st_ino == file.st_ino) leading.push_back(descriptor);
  }
  if (leading.empty()) return std::nullopt;
  LogFile found(path, std::move(leading), bytes_max);
  found.wrote(static_cast<std::uint64_t>(file.st_size));
  return found;
}

void LogFile::wrote(std::uint64_t bytes) {
  bytes_ += bytes;
  if (bytes_ < bytes_max_) return;
  begin_anew();
  bytes_ = 0;
}

void LogFile::begin_anew() const {
  // Nothing there: an earlier one was renamed, and then no file could be opened.
  if (::rename(path_.c_str(), (path_ + ".1").c_str()) != 0 && errno != ENOENT) return;
  const UniqueFd file(
      ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!file.is_open()) return;  // the old one goes on under its new name
  for (const int descriptor : descriptors_)
    ::dup2(file.get(), descriptor);
}

}  // namespace ebb::node
