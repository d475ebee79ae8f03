// style-ok(pragma_once): g++ warns of the pragma in a file that it compiles by itself.
// The precompiled header of the test programs: doctest and what nearly every test includes.
#include <doctest/doctest.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>
