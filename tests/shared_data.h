// Finds the large data that stands beside the source tree in `../shared` and is not part of it.
// A test that needs it and does not find it says so with EBB_SKIP.
//
// EBB_SOURCE_ROOT, the root of the source tree, is a compile definition of the test programs;
// the environment variable EBB_SHARED names another place.
//
// Threads: any thread.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

namespace ebb::tests {

inline std::filesystem::path source_root() { return EBB_SOURCE_ROOT; }

// The shared directory, or nothing when there is none.
inline std::optional<std::filesystem::path> shared_dir() {
  const char* chosen = std::getenv("EBB_SHARED");
  const std::filesystem::path path =
      chosen != nullptr ? std::filesystem::path(chosen) : source_root() / ".." / "shared";
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) return std::nullopt;
  return path.lexically_normal();
}

// An existing file of the shared directory, or nothing.
inline std::optional<std::filesystem::path> shared_file(std::string_view relative) {
  const auto directory = shared_dir();
  std::error_code error;
  if (!directory || !std::filesystem::exists(*directory / relative, error)) return std::nullopt;
  return *directory / relative;
}

}  // namespace ebb::tests
