// style-ok(pragma_once): g++ warns of the pragma in a file that it compiles by itself.
// The precompiled header of the simulator's tests.
#include "mesh/types.h"
#include "sim/network.h"
#include "sim/options.h"
#include "sim/storage.h"
#include "tests/pch/tests_pch.h"
