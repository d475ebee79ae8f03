// StoreLock: the exclusive right to write a store, held for the life of the object. Advisory: it
// keeps out a second process of ours, not somebody with an editor.
//
// Model:   flock on <dir>/lock, which holds the process id of its owner as text.
// Threads: immutable after construction; any thread.
// Errors:  kBusy, naming the process that holds it; kPermission; kNotFound when there is no
//          directory; kIo.
// Spec:    docs/store_format.md section 1
#pragma once

#include <memory>
#include <string>

#include "core/result.h"

namespace ebb::store {

class StoreLock {
 public:
  // Does not wait.
  static Result<std::unique_ptr<StoreLock>> take(const std::string& dir);
  ~StoreLock();
  StoreLock(const StoreLock&) = delete;
  StoreLock& operator=(const StoreLock&) = delete;

 private:
  explicit StoreLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace ebb::store
