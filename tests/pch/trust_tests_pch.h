// style-ok(pragma_once): g++ warns of the pragma in a file that it compiles by itself.
// The precompiled header of the tests of trust: records, and samples of them.
#include "tests/codec/samples.h"
#include "tests/pch/tests_pch.h"
#include "trust/authority_record.h"
#include "trust/genesis.h"
