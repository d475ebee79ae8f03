// Pause: after a failed commit nothing is asked for, for a time that doubles with each in a row.
//
// Threads: not thread-safe; part of the engine.
#pragma once

#include "mesh/context.h"

namespace ebb::mesh {

void pause_commits(Context& ctx);
// Asks for everything that is missing when the pause is over.
void resume_commits_if_due(Context& ctx);

}  // namespace ebb::mesh
