// style-ok(pragma_once): g++ warns of the pragma in a file that it compiles by itself.
// The precompiled header of this room: that of all rooms, and the two libraries that nearly every
// file here includes and that take longest to read. Sources include what they use all the same.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/std_pch.h"
