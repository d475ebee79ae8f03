// style-ok(pragma_once): g++ warns of the pragma in a file that it compiles by itself.
// The precompiled header of the simulator: options, storage, and the types of the engine.
#include "core/std_pch.h"
#include "mesh/types.h"
#include "sim/observer.h"
#include "sim/options.h"
#include "sim/storage.h"
