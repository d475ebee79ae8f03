// style-ok(pragma_once): g++ warns of the pragma in a file that it compiles by itself.
// The precompiled header of the engine's tests: their rig.
#include "tests/mesh/rig.h"
#include "tests/pch/tests_pch.h"
