// style-ok(pragma_once): g++ warns of the pragma in a file that it compiles by itself.
// The precompiled header of the libraries: standard headers only, so it hides no dependency between
// rooms. Sources include what they use all the same.
#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>
