#include "node/files.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "core/unique_fd.h"
#include "trust/hash.h"

namespace ebb::node {
namespace {

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
    case EEXIST:
      return ErrorCode::kExists;
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

Error open_to_others(const std::string& path, mode_t mode, std::string_view fix) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(mode & 07777));
  return {ErrorCode::kPermission, "key file mode",
          path + " is open to others (mode " + text.data() + "): " + std::string(fix)};
}

Error not_private(const std::string& path, std::string_view why) {
  return {ErrorCode::kPermission, "key file", path + " " + std::string(why)};
}

// With room for it beforehand `text` is not moved as it grows.
Status read_all(int file, const std::string& path, std::size_t bytes_max, std::string& text) {
  std::array<char, 4096> part{};
  Status status;
  for (;;) {
    const ssize_t got = ::read(file, part.data(), part.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) status = system_error(errno, "read file", path);
    if (got <= 0) break;
    const auto bytes = static_cast<std::size_t>(got);
    if (text.size() + bytes > bytes_max) {
      status = Error{ErrorCode::kTooLarge, "file",
                     path + ": more than " + std::to_string(bytes_max) + " bytes"};
      break;
    }
    text.append(part.data(), bytes);
  }
  ::explicit_bzero(part.data(), part.size());
  return status;
}

}  // namespace

Error system_error(int code, std::string_view context, const std::string& path) {
  return {code_of(code), context, path + ": " + std::generic_category().message(code)};
}

Status sync_directory(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const UniqueFd dir(::open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY));
  if (dir.get() < 0) return system_error(errno, "open directory", parent);
  if (::fsync(dir.get()) != 0) return system_error(errno, "sync directory", parent);
  return {};
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

Status write_new_file_durable(const std::string& path, std::string_view text, mode_t mode) {
  const std::string temporary = path + ".new-" + std::to_string(trust::random_u64());
  Status status = write_new_file(temporary, text, mode);
  if (status.ok() && ::link(temporary.c_str(), path.c_str()) != 0) {
    status = system_error(errno, "create file", path);
  }
  ::unlink(temporary.c_str());
  EBB_RETURN_IF_ERROR(status);
  return sync_directory(path);
}

Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return system_error(errno, "open file", path);
  std::string text;
  EBB_RETURN_IF_ERROR(read_all(file.get(), path, bytes_max, text));
  return text;
}

Status read_private_file(const std::string& path, std::size_t bytes_max, std::string_view fix,
                         SecretText& out) {
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  if (file.get() < 0 && errno == ELOOP) {
    return not_private(path, "is a symbolic link: put the file itself there");
  }
  if (file.get() < 0) return system_error(errno, "open file", path);
  struct stat info {};
  if (::fstat(file.get(), &info) != 0) return system_error(errno, "file", path);
  if (!S_ISREG(info.st_mode)) return not_private(path, "is not a regular file");
  if (info.st_uid != ::geteuid()) {
    return not_private(path, "belongs to another user: run this as its owner, or `chown` it");
  }
  if ((info.st_mode & 077) != 0) return open_to_others(path, info.st_mode, fix);
  out.text.reserve(bytes_max);
  return read_all(file.get(), path, bytes_max, out.text);
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
  if (::mkdir(path.c_str(), 0700) == 0) return sync_directory(path);
  const int code = errno;
  if (code == EEXIST && std::filesystem::is_directory(path, failed)) return {};
  return system_error(code, "create directory", path);
}

Status require_private(const std::string& path, std::string_view fix) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return system_error(errno, "file", path);
  if ((info.st_mode & 077) == 0) return {};
  return open_to_others(path, info.st_mode, fix);
}

}  // namespace ebb::node
