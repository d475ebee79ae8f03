// style-ok(pragma_once): g++ warns of the pragma in a file that it compiles by itself.
// The precompiled header of the engine: what nearly all of its parts include.
#include "core/std_pch.h"
#include "mesh/context.h"
