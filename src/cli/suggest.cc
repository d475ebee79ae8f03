#include "cli/suggest.h"

#include <algorithm>

#include "core/edit_distance.h"

namespace ebb::cli {

std::optional<std::string> nearest_word(std::string_view typed,
                                        const std::vector<std::string>& words) {
  constexpr std::size_t kTypedBytesMax = 64;  // no word of ours is nearly as long
  if (typed.size() > kTypedBytesMax) return std::nullopt;
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(2, typed.size() / 3) + 1;
  for (const std::string& word : words) {
    const std::size_t distance = edit_distance(typed, word);
    // A short word that shares no letter with another is no slip of it.
    if (distance >= best_distance || distance >= word.size()) continue;
    best = word;
    best_distance = distance;
  }
  return best;
}

}  // namespace ebb::cli
