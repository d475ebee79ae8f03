// Quantities as people write them: "15m", "256 kbit/s", "50 MiB", "1 %", "60/h", "07:00-22:00".
//
// Model:   a whole number, an optional space, and a unit; decimals where a rule says so. nullopt
//          for anything else, and for what would not fit.
// Threads: pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/time.h"
#include "mesh/types.h"

namespace ebb::sim_tool {

inline constexpr std::string_view kDurationRule =
    R"(must be a time as "500ms", "30s", "15m", "6h" or "7d")";
inline constexpr std::string_view kRateRule =
    R"(must be a rate as "256 kbit/s", "10 Mbit/s" or "20 kB/s")";
inline constexpr std::string_view kBytesRule = R"(must be a size as "200 B", "64 KiB" or "50 MiB")";
inline constexpr std::string_view kPercentRule = R"(must be a part as "1 %" or "0.5 %")";
inline constexpr std::string_view kFrequencyRule =
    R"(must be a rate of events as "1/s", "60/h" or "5/d")";
inline constexpr std::string_view kHoursRule = R"(must be hours of the day as "07:00-22:00")";

std::optional<Duration> parse_duration(std::string_view text);
std::optional<std::uint64_t> parse_rate(std::string_view text);  // bytes a second
std::optional<std::uint64_t> parse_bytes(std::string_view text);
std::optional<std::uint64_t> parse_permille(std::string_view text);  // at most 1000
std::optional<Duration> parse_frequency(std::string_view text);      // the interval
std::optional<mesh::QuietHours> parse_hours(std::string_view text);

// "1.5 s", "12 min", "3.2 h", "2 d".
std::string duration_words(Duration duration);

}  // namespace ebb::sim_tool
