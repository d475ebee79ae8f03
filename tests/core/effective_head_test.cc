#include "core/effective_head.h"

#include <doctest/doctest.h>

using namespace ebb;

namespace {

Position at(Seq seq, std::uint8_t chain) {
  Position position{seq, {}};
  position.chain.data.fill(chain);
  return position;
}

}  // namespace

TEST_CASE("a log without cut and cap counts as far as it is stored") {
  CHECK(effective_head(at(5, 1), {}) == at(5, 1));
  CHECK(effective_head(at(0, 1), {}) == at(0, 1));
}

TEST_CASE("the least of stored, cut and cap counts") {
  CHECK(effective_head(at(5, 1), {.cut = at(3, 2)}) == at(3, 2));
  CHECK(effective_head(at(5, 1), {.cap = at(4, 3)}) == at(4, 3));
  CHECK(effective_head(at(5, 1), {.cut = at(3, 2), .cap = at(4, 3)}) == at(3, 2));
  CHECK(effective_head(at(5, 1), {.cut = at(4, 2), .cap = at(2, 3)}) == at(2, 3));
  CHECK(effective_head(at(2, 1), {.cut = at(3, 2), .cap = at(4, 3)}) == at(2, 1));
}

TEST_CASE("of two positions at one seq the chain decides, the same way everywhere") {
  CHECK(effective_head(at(5, 9), {.cut = at(5, 2)}) == at(5, 2));
  CHECK(effective_head(at(5, 1), {.cut = at(5, 2)}) == at(5, 1));
}
