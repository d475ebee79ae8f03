// HomeLock: of all that make a device of one directory at once, one does.
//
// Model:     an flock on the directory itself, from before the first file is written until the last
//            is. A file system that has none goes without it.
// Errors:    kBusy: another init or join is at work there; those of make_directory.
// Ownership: the lock goes with it; it is not inherited by programs that are run.
// Threads:   any; of two that want it in one process one gets it.
#pragma once

#include <string>

#include "core/result.h"
#include "core/unique_fd.h"

namespace ebb::node {

class HomeLock {
 public:
  // Makes the directory where it is not there.
  static Result<HomeLock> take(const std::string& dir);
  const std::string& dir() const { return dir_; }

 private:
  HomeLock(std::string dir, UniqueFd fd) : dir_(std::move(dir)), fd_(std::move(fd)) {}
  std::string dir_;
  UniqueFd fd_;
};

// Removes from `keys` what a run that was killed has left: files that were not named yet, and with
// `drafts` the keys of an attempt to join.
void clear_leftovers(const std::string& keys, bool drafts);

}  // namespace ebb::node
