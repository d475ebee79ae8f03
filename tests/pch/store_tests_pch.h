// style-ok(pragma_once): g++ warns of the pragma in a file that it compiles by itself.
// The precompiled header of the store's tests: their fixture.
#include "tests/pch/tests_pch.h"
#include "tests/store/store_fixture.h"
