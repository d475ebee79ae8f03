#include "node/home_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <system_error>

#include "node/files.h"

namespace ebb::node {

Result<HomeLock> HomeLock::take(const std::string& dir) {
  EBB_RETURN_IF_ERROR(make_directory(dir));
  UniqueFd fd(::open(dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.is_open()) return system_error(errno, "open directory", dir);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return Error{ErrorCode::kBusy, "init",
                 "another `ebb init` or `ebb join` is at work in " + dir + ": wait for its end"};
  }
  return HomeLock(dir, std::move(fd));
}

void clear_leftovers(const std::string& keys, bool drafts) {
  std::error_code failed;
  for (std::filesystem::directory_iterator at(keys, failed), end; !failed && at != end;
       at.increment(failed)) {
    const std::string name = at->path().filename().string();
    const bool unnamed = name.find(".new-") != name.npos;
    if (unnamed || (drafts && name.starts_with("joining-"))) ::unlink(at->path().c_str());
  }
}

}  // namespace ebb::node
