// style-ok(pragma_once): g++ warns of the pragma in a file that it compiles by itself.
// The precompiled header of the libraries. Those of single rooms add headers of lower rooms and their
// own, so none hides a dependency that points up. Sources include what they use all the same: the
// clang build of tools/test --long has no precompiled headers.
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
