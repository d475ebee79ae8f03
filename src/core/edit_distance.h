// How far a word is from another, for suggestions.
//
// Threads: pure functions; any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace ebb {

// Least number of letters to insert, delete, replace or swap with their neighbour. Takes time and
// memory of the product of both sizes: bound them first.
std::size_t edit_distance(std::string_view a, std::string_view b);

}  // namespace ebb
