// Versions of what this program speaks and writes.
//
// Threads: constants; any thread.
#pragma once

#include <cstdint>
#include <string_view>

namespace ebb {

inline constexpr std::string_view kProgramVersion = EBB_VERSION;  // set by the build
inline constexpr std::uint32_t kWireVersionMin = 1;               // docs/wire_format.md
inline constexpr std::uint32_t kWireVersionMax = 1;
inline constexpr std::uint32_t kStoreVersion = 5;  // docs/store_format.md

}  // namespace ebb
