// style-ok(pragma_once): g++ warns of the pragma in a file that it compiles by itself.
// The precompiled header of the daemon's tests.
#include "mesh/types.h"
#include "node/config.h"
#include "node/home.h"
#include "tests/pch/tests_pch.h"
#include "tests/temp_dir.h"
