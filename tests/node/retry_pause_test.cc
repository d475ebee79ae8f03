#include "node/retry_pause.h"

#include <doctest/doctest.h>

namespace {

TEST_CASE("what has failed is tried again after 1 s, then ever more rarely, up to every minute") {
  ebb::node::RetryPause pause;
  for (const int expected : {1, 2, 4, 8, 16, 32, 60, 60})
    CHECK(pause.next() == ebb::seconds(expected));
  pause.reset();
  CHECK(pause.next() == ebb::seconds(1));
}

}  // namespace
