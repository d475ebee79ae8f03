// style-ok(pragma_once): g++ warns of the pragma in a file that it compiles by itself.
// The precompiled header of the tests that read JSON answers of a node.
#include <nlohmann/json.hpp>

#include "node/node.h"
#include "tests/pch/tests_pch.h"
