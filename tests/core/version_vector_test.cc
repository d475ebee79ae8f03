#include "core/version_vector.h"

#include <doctest/doctest.h>

using namespace ebb;

TEST_CASE("a vector covers every dot up to its position and no other") {
  VersionVector vector;
  const LogId log{{1}};
  vector.set(log, {3, Hash{{9}}});
  CHECK(vector.covers({log, 1}));
  CHECK(vector.covers({log, 3}));
  CHECK_FALSE(vector.covers({log, 4}));
  CHECK_FALSE(vector.covers({log, 0}));
  CHECK_FALSE(vector.covers({LogId{{2}}, 1}));
  CHECK(vector.at(LogId{{2}}) == Position{});
}

TEST_CASE("two vectors are equal only when their histories are") {
  VersionVector a;
  VersionVector b;
  a.set(LogId{{1}}, {3, Hash{{9}}});
  b.set(LogId{{1}}, {3, Hash{{8}}});
  CHECK_FALSE(a == b);
  b.set(LogId{{1}}, {3, Hash{{9}}});
  CHECK(a == b);
}

TEST_CASE("a log set to seq 0 is not in the vector") {
  VersionVector vector;
  vector.set(LogId{{1}}, {3, {}});
  vector.set(LogId{{1}}, {0, {}});
  CHECK(vector == VersionVector{});
}
