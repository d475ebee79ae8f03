// Finds the word that a person probably meant.
//
// Threads: pure functions; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ebb::cli {

// The nearest of `words` when it is near enough to be a slip; the first of equals.
std::optional<std::string> nearest_word(std::string_view typed,
                                        const std::vector<std::string>& words);

}  // namespace ebb::cli
