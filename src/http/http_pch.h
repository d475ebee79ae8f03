// style-ok(pragma_once): g++ warns of the pragma in a file that it compiles by itself.
// The precompiled header of the API: the node that it serves.
#include "core/std_pch.h"
#include "node/node.h"
