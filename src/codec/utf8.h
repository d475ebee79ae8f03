// Strict UTF-8: no overlong form, no surrogate, nothing above U+10FFFF. For any room that takes
// text from outside.
//
// Threads: pure functions; any thread.
// Source:  Unicode 15, table 3-7
#pragma once

#include <string_view>

namespace ebb::codec {

bool is_utf8(std::string_view text);

}  // namespace ebb::codec
