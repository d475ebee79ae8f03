// Files that commands read and write.
//
// Errors:  told with the path.
// Threads: call on the main thread.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "cli/failure.h"

namespace ebb::cli {

// `next`: what to do when the file is larger.
Outcome<std::string> read_file(const std::string& path, std::size_t bytes_max,
                               const std::string& next);
// All that a descriptor gives.
Outcome<std::string> read_input(int fd, std::size_t bytes_max);
// Writes a file that only its owner may read. It appears whole or not at all; an older one is
// replaced only with `force`.
// Also where there are no hard links (FAT).
Outcome<ExitCode> write_secret(const std::string& path, std::string_view text, bool force);
// The last step of it there: `draft` becomes `path` if that is not there yet. An error of errno.
int place_without_links(const std::string& draft, const std::string& path);

}  // namespace ebb::cli
