// How the engine is told that a person has ended an invite, and what it says to who comes with it.
//
// Threads: constants.
#pragma once

#include <cstdint>
#include <string_view>

#include "core/time.h"

namespace ebb::mesh {

// OpenInvite::expires of such an invite; others that are over have any time that has passed.
inline constexpr WallTime kInviteEnded{INT64_MIN};
// The text of a refusal for people; its code is that of one that has expired.
inline constexpr std::string_view kInviteEndedText = "the invite was ended";

}  // namespace ebb::mesh
