// Time as clients write it: RFC 3339 text or milliseconds since 1970.
//
// Model:   "2015-05-17T10:05:00.123+02:00" is one instant; what is finer than a millisecond is cut
//          off towards the past. A text without "Z" or an offset names no instant and is refused.
// Units:   milliseconds since 1970, also negative.
// Threads: pure functions; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace ebb::http {

// Years 0000 to 9999. A second of 60 is the first of the next minute, as clocks count it.
std::optional<std::int64_t> parse_rfc3339(std::string_view text);
// Digits with an optional '-', or RFC 3339.
std::optional<std::int64_t> parse_time(std::string_view text);
// A decimal number that is all of `text`.
std::optional<std::uint64_t> parse_uint(std::string_view text);

}  // namespace ebb::http
