#include "store/lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace ebb::store {
namespace {

Error open_error(const std::string& path, int error) {
  const ErrorCode code = error == EACCES || error == EPERM || error == EROFS
                             ? ErrorCode::kPermission
                         : error == ENOENT ? ErrorCode::kNotFound
                         : error == ENOSPC ? ErrorCode::kDiskFull
                                           : ErrorCode::kIo;
  return {code, "lock file", path + ": " + std::strerror(error)};
}

std::string holder_of(int descriptor) {
  std::array<char, 32> text{};
  const ssize_t size = pread(descriptor, text.data(), text.size(), 0);
  std::string pid;
  for (ssize_t i = 0; i < size; ++i) {
    const char c = text[static_cast<std::size_t>(i)];
    if (c < '0' || c > '9') break;
    pid += c;
  }
  return pid.empty() ? "another process" : "process " + pid;
}

}  // namespace

Result<std::unique_ptr<StoreLock>> StoreLock::take(const std::string& dir) {
  const std::string path = dir + "/lock";
  const int descriptor = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) return open_error(path, errno);
  std::unique_ptr<StoreLock> lock(new StoreLock(descriptor));
  if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return open_error(path, errno);
    return Error{ErrorCode::kBusy, "store is in use", "by " + holder_of(descriptor)};
  }
  const std::string pid = std::to_string(getpid()) + "\n";
  if (ftruncate(descriptor, 0) != 0 ||
      pwrite(descriptor, pid.data(), pid.size(), 0) != static_cast<ssize_t>(pid.size())) {
    return open_error(path, errno);
  }
  return lock;
}

StoreLock::~StoreLock() { close(descriptor_); }

}  // namespace ebb::store
