#include "node/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "core/unique_fd.h"

namespace ebb::node {
namespace {

Status sync_directory(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const UniqueFd dir(::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY));
  if (dir.get() < 0) return system_error(errno, "open directory", parent);
  if (::fsync(dir.get()) != 0) return system_error(errno, "sync directory", parent);
  return {};
}

Status write_new_file(const std::string& path, std::string_view text, mode_t mode) {
  UniqueFd file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode));
  if (file.get() < 0) return system_error(errno, "create file", path);
  if (const int code = write_all(file.get(), text); code != 0) {
    return system_error(code, "write file", path);
  }
  if (::fsync(file.get()) != 0) return system_error(errno, "sync file", path);
  if (const int code = file.close(); code != 0) return system_error(code, "close file", path);
  return {};
}

ErrorCode code_of(int code) {
  switch (code) {
    case ENOENT:
      return ErrorCode::kNotFound;
    case EACCES:
    case EPERM:
    case EROFS:
      return ErrorCode::kPermission;
    case ENOSPC:
    case EDQUOT:
      return ErrorCode::kDiskFull;
    default:
      return ErrorCode::kIo;
  }
}

}  // namespace

Error system_error(int code, std::string_view context, const std::string& path) {
  return {code_of(code), context, path + ": " + std::generic_category().message(code)};
}

Status write_file_durable(const std::string& path, std::string_view text, mode_t mode) {
  const std::string temporary = path + ".new";
  // What a crash in the middle of an earlier attempt left.
  if (::unlink(temporary.c_str()) != 0 && errno != ENOENT) {
    return system_error(errno, "remove file", temporary);
  }
  Status status = write_new_file(temporary, text, mode);
  if (status.ok() && ::rename(temporary.c_str(), path.c_str()) != 0) {
    status = system_error(errno, "rename file", path);
  }
  if (!status.ok()) {
    ::unlink(temporary.c_str());
    return status;
  }
  return sync_directory(path);
}

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return system_error(errno, "open file", path);
  std::string text;
  std::array<char, 4096> part{};
  for (;;) {
    const ssize_t got = ::read(file.get(), part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return system_error(errno, "read file", path);
    if (got == 0) return text;
    text.append(part.data(), static_cast<std::size_t>(got));
    if (text.size() > bytes_max) {
      return Error{ErrorCode::kTooLarge, "file",
                   path + ": more than " + std::to_string(bytes_max) + " bytes"};
    }
  }
}

bool file_exists(const std::string& path) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0;
}

Status make_directory(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) std::filesystem::create_directories(parent, failed);
  if (failed) return system_error(failed.value(), "create directory", parent.string());
  if (::mkdir(path.c_str(), 0700) == 0) return {};
  const int code = errno;
  if (code == EEXIST && std::filesystem::is_directory(path, failed)) return {};
  return system_error(code, "create directory", path);
}

Status require_private(const std::string& path, std::string_view fix) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return system_error(errno, "file", path);
  if ((info.st_mode & 077) == 0) return {};
  std::array<char, 16> mode{};
  std::snprintf(mode.data(), mode.size(), "%04o", static_cast<unsigned>(info.st_mode & 07777));
  return Error{ErrorCode::kPermission, "key file mode",
               path + " is open to others (mode " + mode.data() + "): " + std::string(fix)};
}

}  // namespace ebb::node
