// Label: the name of a device or an issuer, which is shown to people who decide by it.
//
// Threads: pure functions; any thread.
// Spec:    docs/wire_format.md section 13
#pragma once

#include <string_view>

namespace ebb::trust {

// Whether a text (UTF-8, checked) has nothing in it that moves a cursor, ends a line or shows the
// letters in another order than they stand.
bool is_label(std::string_view text);

}  // namespace ebb::trust
