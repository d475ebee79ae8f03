// UniqueFd: a file descriptor that is closed with its owner; and writing to one.
//
// Threads: not thread-safe; one owner at a time.
#pragma once

#include <string_view>
#include <utility>

namespace ebb {

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  ~UniqueFd() { reset(); }
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = other.release();
    }
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;

  int get() const { return fd_; }
  bool is_open() const { return fd_ >= 0; }
  void reset() { static_cast<void>(close()); }
  // 0, or errno: a close that fails may be a write that failed.
  int close();
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

// Writes all of it, however often that is interrupted. 0, or errno: some of it may be written.
int write_all(int fd, std::string_view text);

}  // namespace ebb
