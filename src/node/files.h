// Files of the data directory: written so that a crash leaves the old text or the new one, read
// with a bound.
//
// Errors:  kNotFound, kExists, kIo, kDiskFull, kPermission, kTooLarge; detail names the path.
// Threads: pure functions over files; any thread.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/secret.h"

namespace ebb::node {

// Temporary file, fsync, rename, fsync of the directory. The file has `mode` from its first byte.
Status write_file_durable(const std::string& path, std::string_view text, mode_t mode);
// The same for a file that is not there yet: kExists when one is, or another writer was first, and
// that one stays as it is. A crash may leave `path`.new-*, of the same mode.
Status write_new_file_durable(const std::string& path, std::string_view text, mode_t mode);
Result<std::string> read_file(const std::string& path, std::size_t bytes_max);
// Of a secret; nothing in memory keeps it but `out`. kPermission when the path is a link or no
// regular file, is another user's, or group or others may do anything with it: of the very file
// that is read. `fix` says what to do about its mode.
Status read_private_file(const std::string& path, std::size_t bytes_max, std::string_view fix,
                         SecretText& out);
// What was done to the directory that `path` is in is there after a crash.
Status sync_directory(const std::string& path);
bool file_exists(const std::string& path);
// Makes `path` (mode 0700), so that it is there after a crash, and the directories above it. One
// that is there already stays as it is.
Status make_directory(const std::string& path);
// kPermission when group or others may do anything with `path`; `fix` says what to do then.
Status require_private(const std::string& path, std::string_view fix);
// The Error of a failed system call.
Error system_error(int code, std::string_view context, const std::string& path);

}  // namespace ebb::node
