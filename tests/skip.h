// Lets a test case say that it cannot run here, and why. It is not for hiding a failing test.
//
//     TEST_CASE("reads the page views") {
//       const auto file = ebb::tests::shared_file("data/page_views.ndjson");
//       if (!file) EBB_SKIP("no ../shared/data/page_views.ndjson");
//       ...
//     }
//
// Threads: call on the thread that runs the test case.
// Limits:  use it in the body of a TEST_CASE before any check; a case that fails as well is failed.
#pragma once

#include <string>

namespace ebb::tests {

// Marks the running test case as skipped. The reason is printed by tests/main.cc at the end.
void record_skip(std::string reason);

}  // namespace ebb::tests

#define EBB_SKIP(reason)               \
  do {                                 \
    ::ebb::tests::record_skip(reason); \
    return;                            \
  } while (false)
