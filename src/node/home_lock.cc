#include "node/home_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <uv.h>

#include <cerrno>
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
  uv_fs_t names{};
  uv_dirent_t entry{};
  if (uv_fs_scandir(nullptr, &names, keys.c_str(), 0, nullptr) > 0) {
    while (uv_fs_scandir_next(&names, &entry) == 0) {
      const std::string name = entry.name;
      const bool unnamed = name.find(".new-") != name.npos;
      if (unnamed || (drafts && name.starts_with("joining-")))
        ::unlink((keys + "/" + name).c_str());
    }
  }
  uv_fs_req_cleanup(&names);
}

}  // namespace ebb::node
