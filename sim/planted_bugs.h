// The planted bugs by name: what `--bug` takes, and what each of them is.
//
// Threads: pure functions; any thread.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "core/planted.h"

namespace ebb::sim {

struct PlantedInfo {
  Bug bug = Bug::kNone;
  std::string_view name;
  std::string_view what;
};

// All of them; none in a build without them.
std::span<const PlantedInfo> planted_bugs();
std::optional<Bug> bug_named(std::string_view name);
// "none" where there is none.
std::string_view bug_name(Bug bug);

}  // namespace ebb::sim
