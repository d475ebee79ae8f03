#include "core/unique_fd.h"

#include <unistd.h>

#include <cerrno>

namespace ebb {

int UniqueFd::close() {
  if (fd_ < 0) return 0;
  return ::close(release()) == 0 ? 0 : errno;
}

int write_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

}  // namespace ebb
