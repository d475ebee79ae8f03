// Strict UTF-8: no overlong form, no surrogate, nothing above U+10FFFF. Inside the codec only.
//
// Threads: pure functions; any thread.
// Source:  Unicode 15, table 3-7
#pragma once

#include <string_view>

namespace ebb::codec {

bool is_utf8(std::string_view text);

}  // namespace ebb::codec
