// The Unix socket of the local API: bound so that at no time anybody but its owner may connect.
//
// Model:     a socket file that nobody answers on is replaced; one that somebody answers on is left
//            alone. The file goes with the object.
// Ownership: owns the descriptor until release_fd().
// Errors:    kExists (a live node answers), kIo, kPermission; detail names the path.
// Threads:   not thread-safe.
#pragma once

#include <string>

#include "core/result.h"

namespace ebb::http {

class ListenSocket {
 public:
  static Result<ListenSocket> open(const std::string& path);
  ListenSocket(ListenSocket&& other) noexcept;
  ListenSocket& operator=(ListenSocket&&) = delete;
  ~ListenSocket();

  int fd() const { return fd_; }
  // Somebody else closes it; the file is still ours.
  void release_fd() { fd_ = -1; }

 private:
  ListenSocket(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  int fd_ = -1;
  std::string path_;
};

}  // namespace ebb::http
