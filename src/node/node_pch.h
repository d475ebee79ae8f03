// style-ok(pragma_once): g++ warns of the pragma in a file that it compiles by itself.
// The precompiled header of the daemon's room: libuv, and the types that it shares with the engine.
#include <uv.h>

#include "core/std_pch.h"
#include "mesh/types.h"
#include "node/address.h"
