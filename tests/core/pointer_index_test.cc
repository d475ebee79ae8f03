#include "core/pointer_index.h"

#include <doctest/doctest.h>

#include <deque>
#include <map>
#include <utility>

#include "core/rng.h"

namespace ebb {
namespace {

struct Thing {
  std::uint64_t key = 0;
};

Thing* find(const PointerIndex<Thing>& index, std::uint64_t hash, std::uint64_t key) {
  return index.find(hash, [key](const Thing& thing) { return thing.key == key; });
}

}  // namespace

TEST_CASE("a pointer index without things finds none and forgets none") {
  PointerIndex<Thing> index;
  Thing thing{7};
  CHECK(find(index, 1, 7) == nullptr);
  index.erase(1, thing);
  CHECK(index.size() == 0);
  index.insert(1, thing);
  CHECK(find(index, 1, 7) == &thing);
  CHECK(find(index, 1, 8) == nullptr);
  CHECK(find(index, 2, 7) == nullptr);
  index.clear();
  CHECK(find(index, 1, 7) == nullptr);
}

// Hashes of few bits at both ends of the array, so that runs of full places are long, go round its
// end and lose things in their middle.
TEST_CASE("a pointer index finds what a map finds, whatever collides") {
  Rng rng(5);
  PointerIndex<Thing> index;
  std::deque<Thing> things;
  std::map<std::uint64_t, std::pair<std::uint64_t, Thing*>> expected;  // key -> hash, thing
  std::uint64_t erased = 0;
  for (std::uint64_t key = 1; key <= 20000; ++key) {
    const std::uint64_t hash = rng.chance(1, 2) ? rng.below(4) : ~rng.below(4);
    if (expected.size() < 200 && rng.chance(2, 3)) {
      Thing& thing = things.emplace_back(Thing{key});
      index.insert(hash, thing);
      expected[key] = {hash, &thing};
    } else if (!expected.empty()) {
      auto victim = expected.lower_bound(rng.below(key));
      if (victim == expected.end()) victim = expected.begin();
      const auto [place, thing] = victim->second;
      index.erase(place, *thing);
      REQUIRE(find(index, place, thing->key) == nullptr);
      expected.erase(victim);
      ++erased;
    }
    REQUIRE(index.size() == expected.size());
    if (key % 50 != 0) continue;
    for (const auto& [known, where] : expected)
      REQUIRE(find(index, where.first, known) == where.second);
  }
  CHECK(erased > 1000);
}

}  // namespace ebb
