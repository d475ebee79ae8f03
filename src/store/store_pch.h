// style-ok(pragma_once): g++ warns of the pragma in a file that it compiles by itself.
// The precompiled header of the store: what nearly all of its sources include.
#include "core/std_pch.h"
#include "store/log_table.h"
